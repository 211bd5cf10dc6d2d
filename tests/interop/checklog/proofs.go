package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// everyEntry proves each entry and checks the proof against the signed root.
func everyEntry(own *tree, signed tlog.Tree) error {
	for i, leaf := range own.leaves {
		proof, err := tlog.ProveRecord(signed.N, int64(i), own.hashes)
		if err == nil {
			err = tlog.CheckRecord(proof, signed.N, signed.Hash, int64(i), leaf)
		}
		if err != nil {
			return fmt.Errorf("entry %d: %v", i, err)
		}
	}
	return nil
}

// offlineProof checks a C2SP tlog-proof whose extra data are the entry. With the log at hand, tlog must make the same.
func offlineProof(path string, keys *keyring, own *tree) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	gap := bytes.Index(data, []byte("\n\n"))
	if gap < 0 {
		return errors.New("no empty line before the checkpoint")
	}
	lines := strings.Split(string(data[:gap]), "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	record, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil || !strings.HasPrefix(lines[1], "extra ") {
		return errors.New("no entry in it")
	}
	number := strings.TrimPrefix(lines[2], "index ")
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !strings.HasPrefix(lines[2], "index ") || strconv.FormatInt(index, 10) != number {
		return errors.New("no index in it")
	}
	steps := tlog.RecordProof{}
	for i, line := range lines[3:] {
		step, err := hash(line)
		if err != nil {
			return fmt.Errorf("line %d: %v", i+4, err)
		}
		steps = append(steps, step)
	}
	signed, err := openKnown(data[gap+2:], keys)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(steps, signed.N, signed.Hash, index, tlog.RecordHash(record)); err != nil {
		return fmt.Errorf("entry %d: %v", index, err)
	}
	if own == nil {
		return nil
	}
	if err := own.matches(signed); err != nil {
		return err
	}
	made, err := tlog.ProveRecord(signed.N, index, own.hashes)
	if err != nil {
		return err
	}
	return same(made, steps)
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
		h, err := hash(text)
		if err != nil {
			return nil, h, h, err
		}
		out = append(out, h)
	}
	n := len(out)
	return out[:n-2], out[n-2], out[n-1], nil
}
