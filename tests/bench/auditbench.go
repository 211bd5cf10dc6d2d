// Auditbench recomputes the signed root of a notevault log with Go's own transparency-log packages, as fast as they go.
//
//	auditbench FOLDER VKEY...
//
// It opens the checkpoint with sumdb/note under every key given, parses the bundles, hashes each entry and lets
// sumdb/tlog put the tree together. It does not look into the entries, at seals or at key files.
// Exit 0 when the root is the signed one, 1 when not or when something does not read, 2 when it was called wrongly.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
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

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: auditbench FOLDER VKEY...")
		os.Exit(2)
	}
	size, err := check(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("ok %d entries\n", size)
}

func check(folder string, vkeys []string) (int64, error) {
	signed, err := opened(filepath.Join(folder, "checkpoint"), vkeys)
	if err != nil {
		return 0, err
	}
	hashes := make(store, 0, tlog.StoredHashCount(signed.N))
	for done := int64(0); done < signed.N; {
		name, count := "open", signed.N-done
		if count >= bundleSize {
			name, count = filepath.Join("entries", tilePath(done/bundleSize)), bundleSize
		}
		data, err := os.ReadFile(filepath.Join(folder, name))
		if os.IsNotExist(err) && done+bundleSize == signed.N { // full, and not renamed yet
			data, err = os.ReadFile(filepath.Join(folder, "open"))
		}
		if err != nil {
			return 0, err
		}
		if hashes, err = add(hashes, done, count, data); err != nil {
			return 0, fmt.Errorf("%s: %v", name, err)
		}
		done += count
	}
	root, err := tlog.TreeHash(signed.N, hashes)
	if err == nil && root != signed.Hash {
		err = fmt.Errorf("signed %v, the entries give %v", signed.Hash, root)
	}
	return signed.N, err
}

// add hashes the first count entries of data; the first of them is number start of the log.
func add(hashes store, start, count int64, data []byte) (store, error) {
	for i := start; i < start+count; i++ {
		if len(data) < 2 {
			return nil, errors.New("entries are missing")
		}
		n := int(binary.BigEndian.Uint16(data))
		if n == 0 || len(data) < 2+n {
			return nil, errors.New("an entry is cut short")
		}
		more, err := tlog.StoredHashes(i, data[2:2+n], hashes)
		if err != nil {
			return nil, err
		}
		hashes, data = append(hashes, more...), data[2+n:]
	}
	return hashes, nil
}

func opened(path string, vkeys []string) (tree tlog.Tree, err error) {
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return tree, err
		}
		verifiers = append(verifiers, v)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	n, err := note.Open(data, note.VerifierList(verifiers...))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(n.Sigs) != len(vkeys) || len(lines) != 4 {
		return tree, errors.New("not a checkpoint of three lines, signed by all of these keys")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// tilePath is the numbering of tlog-tiles, taken from tlog itself: the last part of the path of a tile of level 0.
func tilePath(q int64) string {
	return filepath.FromSlash(strings.TrimPrefix(tlog.Tile{H: 8, L: 0, N: q, W: bundleSize}.Path(), "tile/8/0/"))
}
