// Checklog reads a notevault audit log with Go's own transparency-log packages and nothing else.
//
//	checklog FOLDER IDENTITY-VKEY EPOCH-VKEY [PROOFS.json]
//
// FOLDER holds checkpoint, entries/ and open (docs/FORMAT.md sections 6.4 and 7). It opens the checkpoint with
// sumdb/note under both keys, recomputes the root over all entries with sumdb/tlog, and, where a file of proofs is
// given, checks each of them and compares it with the one that tlog makes itself. One line a check; exit 0 when all
// hold, 1 when one does not, 2 when it was called wrongly.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
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

type proof struct {
	Kind  string   `json:"kind"` // inclusion or consistency
	Size  int64    `json:"size"`
	Root  string   `json:"root"`
	Index int64    `json:"index"`
	Leaf  string   `json:"leaf"`
	Old   int64    `json:"old"`
	OldR  string   `json:"oldRoot"`
	Path  []string `json:"path"`
}

var failed bool

func report(what string, err error) {
	if err != nil {
		failed = true
		fmt.Printf("FAIL %s: %v\n", what, err)
		return
	}
	fmt.Printf("ok %s\n", what)
}

func main() {
	if len(os.Args) != 4 && len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: checklog FOLDER IDENTITY-VKEY EPOCH-VKEY [PROOFS.json]")
		os.Exit(2)
	}
	folder := os.Args[1]
	tree, err := openCheckpoint(filepath.Join(folder, "checkpoint"), os.Args[2:4])
	report("checkpoint signed by identity and epoch key", err)
	if err != nil {
		os.Exit(1)
	}
	records, err := readLog(folder, tree.N)
	report(fmt.Sprintf("%d entries read", tree.N), err)
	if err != nil {
		os.Exit(1)
	}
	hashes, err := hashAll(records)
	report("entries hashed", err)
	if err == nil {
		report("root", checkRoot(hashes, tree))
	}
	if len(os.Args) == 5 {
		checkProofs(os.Args[4], hashes)
	}
	if failed {
		os.Exit(1)
	}
}

// openCheckpoint wants a valid signature of each key given, and the text of a tlog-checkpoint of exactly three lines.
func openCheckpoint(path string, vkeys []string) (tlog.Tree, error) {
	var tree tlog.Tree
	data, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return tree, err
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(data, note.VerifierList(verifiers...))
	if err != nil {
		return tree, err
	}
	if len(n.Sigs) != len(vkeys) || len(n.UnverifiedSigs) != 0 {
		return tree, fmt.Errorf("%d verified and %d unknown signatures", len(n.Sigs), len(n.UnverifiedSigs))
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tree, errors.New("not three lines")
	}
	if lines[0] != verifiers[0].Name() {
		return tree, errors.New("the first line is not the name of the identity key")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] || size < 0 {
		return tree, errors.New("size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tree, err
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// readLog gives the entries that the checkpoint covers.
func readLog(folder string, size int64) ([][]byte, error) {
	var records [][]byte
	for q := int64(0); q < size/bundleSize; q++ {
		data, err := os.ReadFile(filepath.Join(folder, "entries", filepath.FromSlash(tilePath(q))))
		if err != nil {
			return nil, err
		}
		more, rest, err := split(data, bundleSize)
		if err != nil {
			return nil, fmt.Errorf("bundle %d: %v", q, err)
		}
		if len(rest) != 0 {
			return nil, fmt.Errorf("bundle %d: bytes behind its last entry", q)
		}
		records = append(records, more...)
	}
	if size%bundleSize == 0 {
		return records, nil
	}
	data, err := os.ReadFile(filepath.Join(folder, "open"))
	if err != nil {
		return nil, err
	}
	more, _, err := split(data, int(size%bundleSize))
	return append(records, more...), err
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

func hashAll(records [][]byte) (store, error) {
	var hashes store
	for i, data := range records {
		more, err := tlog.StoredHashes(int64(i), data, hashes)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, more...)
	}
	return hashes, nil
}

func checkRoot(hashes store, tree tlog.Tree) error {
	if tree.N == 0 { // this version of tlog has no root for the empty tree: RFC 6962 says SHA-256 of nothing
		if tree.Hash.String() != "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
			return errors.New("not the root of the empty tree")
		}
		return nil
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err == nil && root != tree.Hash {
		err = fmt.Errorf("signed %v, entries give %v", tree.Hash, root)
	}
	return err
}

func checkProofs(path string, hashes store) {
	data, err := os.ReadFile(path)
	var proofs []proof
	if err == nil {
		err = json.Unmarshal(data, &proofs)
	}
	if err != nil {
		report("proofs read", err)
		return
	}
	for _, p := range proofs {
		if p.Kind == "inclusion" {
			report(fmt.Sprintf("inclusion of %d in %d", p.Index, p.Size), inclusion(p, hashes))
		} else {
			report(fmt.Sprintf("consistency of %d with %d", p.Old, p.Size), consistency(p, hashes))
		}
	}
}

func inclusion(p proof, hashes store) error {
	path, root, leaf, err := decode(p.Path, p.Root, p.Leaf)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(tlog.RecordProof(path), p.Size, root, p.Index, leaf); err != nil {
		return err
	}
	own, err := tlog.ProveRecord(p.Size, p.Index, hashes)
	if err != nil {
		return err
	}
	return same(own, path)
}

func consistency(p proof, hashes store) error {
	path, root, old, err := decode(p.Path, p.Root, p.OldR)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(tlog.TreeProof(path), p.Size, root, p.Old, old); err != nil {
		return err
	}
	own, err := tlog.ProveTree(p.Size, p.Old, hashes)
	if err != nil {
		return err
	}
	return same(own, path)
}

func same(own, given []tlog.Hash) error {
	if len(own) != len(given) {
		return fmt.Errorf("tlog's own proof has %d hashes, this one %d", len(own), len(given))
	}
	for i := range own {
		if own[i] != given[i] {
			return errors.New("tlog's own proof differs")
		}
	}
	return nil
}

func decode(path []string, first, second string) ([]tlog.Hash, tlog.Hash, tlog.Hash, error) {
	var out []tlog.Hash
	for _, text := range append(append([]string{}, path...), first, second) {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(data) != tlog.HashSize {
			return nil, tlog.Hash{}, tlog.Hash{}, errors.New("not a hash")
		}
		var h tlog.Hash
		copy(h[:], data)
		out = append(out, h)
	}
	n := len(out)
	return out[:n-2], out[n-2], out[n-1], nil
}
