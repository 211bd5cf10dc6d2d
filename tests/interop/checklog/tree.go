package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const bundleSize = 256

// store is a HashReader over all stored hashes, in tlog's own numbering.
type store []tlog.Hash

func (s store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(s)) {
			return nil, errors.New("a hash beyond the tree was asked for")
		}
		out[i] = s[x]
	}
	return out, nil
}

// A closing is an entry that ends an epoch.
type closing struct{ index, epoch int64 }

// A tree is what the entries of a log gave.
type tree struct {
	size     int64
	hashes   store
	leaves   []tlog.Hash
	closings []closing
	epoch    int64 // of the last entry
}

type entry struct {
	E  int64  `json:"e"`
	Ev string `json:"ev"`
	I  int64  `json:"i"`
	P  string `json:"p"`
	V  int64  `json:"v"`
	K  struct {
		Key string `json:"key"`
	} `json:"k"`
}

// grow reads the entries that a checkpoint of that size covers and learns the epoch keys they bring. With an error about
// what an entry says the tree is whole all the same; without a tree, entries are missing.
func grow(folder string, size int64, keys *keyring) (*tree, error) {
	t := &tree{size: size}
	var odd error
	previous, epoch := strings.Repeat("0", 32), int64(0)
	err := walk(folder, size, func(i int64, data []byte) error {
		var e entry
		err := json.Unmarshal(data, &e)
		switch {
		case err != nil:
		case e.V != 1 || e.I != i:
			err = errors.New("it calls itself another")
		case e.P != previous:
			err = errors.New("it does not follow from the one before it")
		case e.E != epoch:
			err = fmt.Errorf("it is of epoch %d where %d runs", e.E, epoch)
		}
		if err != nil && odd == nil {
			odd = fmt.Errorf("entry %d: %v", i, err)
		}
		t.epoch = epoch
		if err == nil && e.Ev == "epoch.close" {
			t.closings = append(t.closings, closing{i, epoch})
			epoch++
			pub, err := key(e.K.Key)
			if err == nil {
				err = keys.learn(epoch, pub)
			}
			if err != nil && odd == nil {
				odd = fmt.Errorf("entry %d: %v", i, err)
			}
		}
		leaf := tlog.RecordHash(data)
		previous = hex.EncodeToString(leaf[:16])
		t.leaves = append(t.leaves, leaf)
		more, err := tlog.StoredHashesForRecordHash(i, leaf, t.hashes)
		t.hashes = append(t.hashes, more...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, odd
}

// walk hands on the entries one by one, a bundle in memory at a time.
func walk(folder string, size int64, each func(int64, []byte) error) error {
	for q := int64(0); q*bundleSize < size; q++ {
		count := size - q*bundleSize
		if count > bundleSize {
			count = bundleSize
		}
		name := filepath.Join(folder, "entries", filepath.FromSlash(tilePath(q)))
		data, err := os.ReadFile(name)
		whole := err == nil
		if os.IsNotExist(err) && (q+1)*bundleSize >= size { // the last one may be called `open` still
			data, err = os.ReadFile(filepath.Join(folder, "open"))
		}
		if err != nil {
			return fmt.Errorf("bundle %d: %v", q, errors.Unwrap(err))
		}
		records, rest, err := split(data, int(count))
		if err == nil && whole && count == bundleSize && len(rest) != 0 {
			err = errors.New("bytes behind its last entry")
		}
		if err != nil {
			return fmt.Errorf("bundle %d: %v", q, err)
		}
		for i, record := range records {
			if err := each(q*bundleSize+int64(i), record); err != nil {
				return err
			}
		}
	}
	return nil
}

func split(data []byte, count int) (records [][]byte, rest []byte, err error) {
	for len(records) < count {
		if len(data) < 2 {
			return nil, nil, errors.New("entries are missing")
		}
		n := int(binary.BigEndian.Uint16(data))
		if n == 0 || len(data) < 2+n {
			return nil, nil, errors.New("an entry is cut short")
		}
		records = append(records, data[2:2+n])
		data = data[2+n:]
	}
	return records, data, nil
}

// tilePath is the numbering of tlog-tiles, taken from tlog itself: the last part of the path of a tile of level 0.
func tilePath(q int64) string {
	return strings.TrimPrefix(tlog.Tile{H: 8, L: 0, N: q, W: bundleSize}.Path(), "tile/8/0/")
}

// nothingBeyond: a full bundle in which the signed log ends shows that more had been signed once.
func nothingBeyond(folder string, size int64) error {
	_, err := os.Lstat(filepath.Join(folder, "entries", filepath.FromSlash(tilePath(size/bundleSize))))
	if err == nil {
		return fmt.Errorf("signed %d, but bundle %d is there", size, size/bundleSize)
	}
	return nil
}

// at is the root over the first `size` entries.
func (t *tree) at(size int64) (tlog.Hash, error) {
	if size > t.size {
		return tlog.Hash{}, fmt.Errorf("it is of %d entries, the log has %d", size, t.size)
	}
	if size == 0 { // this version of tlog has no root for the empty tree: RFC 6962 says SHA-256 of nothing
		return hash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	}
	return tlog.TreeHash(size, t.hashes)
}

// matches: the state is of the first entries of this tree.
func (t *tree) matches(signed tlog.Tree) error {
	root, err := t.at(signed.N)
	if err == nil && root != signed.Hash {
		err = fmt.Errorf("signed for %d entries is %v, the entries give %v", signed.N, signed.Hash, root)
	}
	return err
}
