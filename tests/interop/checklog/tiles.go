package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// A tileFolder is a tlog.TileReader on an export. C2SP's paths are tlog's without the height.
type tileFolder string

func (f tileFolder) Height() int                     { return height }
func (f tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		data, err := f.read(t, "")
		if err == nil && len(data) != t.W*tlog.HashSize {
			err = fmt.Errorf("%s has %d bytes", pathOf(t, ""), len(data))
		}
		if err != nil {
			return nil, err
		}
		out[i] = data
	}
	return out, nil
}

func (f tileFolder) read(t tlog.Tile, entries string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(f), filepath.FromSlash(pathOf(t, entries))))
	if err != nil {
		return nil, fmt.Errorf("%s: %v", pathOf(t, entries), errors.Unwrap(err))
	}
	return data, nil
}

func pathOf(t tlog.Tile, entries string) string {
	rest := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
	if entries != "" {
		rest = entries + strings.TrimPrefix(rest, fmt.Sprint(t.L))
	}
	return "tile/" + rest
}

// checkTiles reads an export: its checkpoint, every entry and tile, and every leaf hash through tlog's tile reader, which
// proves each tile it reads against the root.
func checkTiles(folder string, keys *keyring, own *tree) {
	signed, err := openIdentity(filepath.Join(folder, "checkpoint"), keys)
	if !report("checkpoint of the tiles", err) {
		return
	}
	f := tileFolder(folder)
	if signed.N == 0 {
		empty, _ := (&tree{}).at(0)
		_, missing := os.Lstat(filepath.Join(folder, "tile"))
		if signed.Hash != empty || missing == nil {
			err = errors.New("a log without entries has no tiles, and the empty root")
		}
		report("tiles", err)
	} else if hashes, err := f.hashes(signed); report(fmt.Sprintf("entries of the tiles, %d", signed.N), err) {
		report("tiles", f.eachTile(signed, hashes))
		report("leaf hashes through the tile reader", f.eachLeaf(signed, hashes))
	}
	if own != nil {
		report("tiles are of this log", own.matches(signed))
	}
}

// hashes makes all hashes anew from the entries.
func (f tileFolder) hashes(signed tlog.Tree) (store, error) {
	var hashes store
	for n := int64(0); n*bundleSize < signed.N; n++ {
		t := tlog.Tile{H: height, L: 0, N: n, W: width(signed.N - n*bundleSize)}
		data, err := f.read(t, "entries")
		if err != nil {
			return nil, err
		}
		records, rest, err := split(data, t.W)
		if err == nil && len(rest) != 0 {
			err = errors.New("bytes behind its last entry")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %v", pathOf(t, "entries"), err)
		}
		for i, record := range records {
			more, err := tlog.StoredHashes(n*bundleSize+int64(i), record, hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, more...)
		}
	}
	return hashes, nil
}

// eachTile compares every tile that a tree of this size must have with the one made from the entries.
func (f tileFolder) eachTile(signed tlog.Tree, hashes store) error {
	for level := 0; signed.N>>(height*uint(level)) > 0; level++ {
		count := signed.N >> (height * uint(level))
		for n := int64(0); n<<height < count; n++ {
			t := tlog.Tile{H: height, L: level, N: n, W: width(count - n<<height)}
			data, err := f.ReadTiles([]tlog.Tile{t})
			if err != nil {
				return err
			}
			made, err := tlog.ReadTileData(t, hashes)
			if err != nil {
				return err
			}
			if !bytes.Equal(made, data[0]) {
				return fmt.Errorf("%s: its hashes are not those of the entries", pathOf(t, ""))
			}
		}
	}
	return nil
}

func (f tileFolder) eachLeaf(signed tlog.Tree, hashes store) error {
	reader := tlog.TileHashReader(signed, f)
	for n := int64(0); n < signed.N; n += bundleSize {
		t := tlog.Tile{H: height, L: 0, N: n / bundleSize, W: width(signed.N - n)}
		proven, err := tlog.ReadTileData(t, reader)
		if err != nil {
			return err
		}
		made, err := tlog.ReadTileData(t, hashes)
		if err != nil {
			return err
		}
		if !bytes.Equal(proven, made) {
			return fmt.Errorf("%s: the root is of other entries", pathOf(t, ""))
		}
	}
	root, err := tlog.TreeHash(signed.N, reader)
	if err == nil && root != signed.Hash {
		err = errors.New("another root")
	}
	return err
}

func width(left int64) int {
	if left > bundleSize {
		return bundleSize
	}
	return int(left)
}
