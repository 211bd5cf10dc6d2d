package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A state is a signed size and root, and where it was found.
type state struct {
	where string
	tree  tlog.Tree
}

// openCurrent: the second line of the checkpoint is of the epoch that runs, or was just closed by the last entry.
func openCurrent(path string, keys *keyring, own *tree) error {
	epochs := []int64{own.epoch}
	if n := len(own.closings); n > 0 && own.closings[n-1].index == own.size-1 {
		epochs = append(epochs, own.epoch+1)
	}
	_, err := openBoth(path, keys, epochs...)
	return err
}

// checkSeals: each closed epoch has its seal, of the size that ends with the closing entry, signed by identity and by the
// key of that epoch; and there is no other seal.
func checkSeals(folder string, keys *keyring, own *tree) []state {
	var states []state
	due := map[string]bool{}
	for _, c := range own.closings {
		name := fmt.Sprintf("%08d", c.epoch)
		due[name] = true
		signed, err := openBoth(filepath.Join(folder, "seals", name), keys, c.epoch)
		if os.IsNotExist(err) {
			err = fmt.Errorf("it is missing, entry %d closes that epoch", c.index)
		}
		if err == nil && signed.N != c.index+1 {
			err = fmt.Errorf("it is of %d entries, the epoch ends with %d", signed.N, c.index+1)
		}
		if err == nil {
			states = append(states, state{"seal " + name, signed})
			err = own.matches(signed)
		}
		report("seal "+name, err)
	}
	there, err := os.ReadDir(filepath.Join(folder, "seals"))
	if err != nil && !os.IsNotExist(err) {
		report("seals", err)
	}
	for _, file := range there {
		if !due[file.Name()] {
			report("seal "+file.Name(), fmt.Errorf("no entry closes that epoch"))
		}
	}
	return states
}

// checkAnchors: each file is named by what it signs, signed by the identity key, and of the first entries of this log.
func checkAnchors(folder string, keys *keyring, own *tree) []state {
	var states []state
	there, err := os.ReadDir(folder)
	if err != nil {
		report("anchors", err)
	}
	for _, file := range there {
		data, err := os.ReadFile(filepath.Join(folder, file.Name()))
		var signed tlog.Tree
		if err == nil {
			signed, err = openKnown(data, keys)
		}
		if err == nil && file.Name() != fmt.Sprintf("%d-%s", signed.N, hex.EncodeToString(signed.Hash[:])) {
			err = fmt.Errorf("its name is not what it signs")
		}
		if err == nil {
			states = append(states, state{"anchor " + short(file.Name()), signed})
			err = own.matches(signed)
		}
		report("anchor "+short(file.Name()), err)
	}
	return states
}

func short(name string) string {
	size, root, _ := strings.Cut(name, "-")
	if len(root) > 8 {
		root = root[:8]
	}
	return size + "-" + root
}

// checkHistory: of all signed states, each is a beginning of the next, by a consistency proof.
func checkHistory(states []state, own *tree) {
	sort.SliceStable(states, func(i, j int) bool { return states[i].tree.N < states[j].tree.N })
	for i := 1; i < len(states); i++ {
		old, now := states[i-1], states[i]
		what := fmt.Sprintf("%s (%d) begins %s (%d)", old.where, old.tree.N, now.where, now.tree.N)
		report(what, begins(old.tree, now.tree, own))
	}
}

func begins(old, now tlog.Tree, own *tree) error {
	if old.N == 0 || old.N == now.N {
		empty, _ := own.at(0)
		if (old.N == now.N && old.Hash != now.Hash) || (old.N == 0 && old.Hash != empty) {
			return fmt.Errorf("two roots for one size")
		}
		return nil
	}
	if now.N > own.size {
		return fmt.Errorf("the log has %d entries only", own.size)
	}
	proof, err := tlog.ProveTree(now.N, old.N, own.hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, now.N, now.Hash, old.N, old.Hash)
}
