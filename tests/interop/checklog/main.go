// Checklog reads a notevault audit log with Go's own transparency-log packages and nothing else.
//
//	checklog [flags] [FOLDER]
//
// FOLDER is the folder of one log: card, checkpoint, entries/, open, seals/ (docs/FORMAT.md sections 6 to 8). The keys
// come from the card and from the entries that close an epoch. Checkpoint and seals are opened with sumdb/note; the root
// at each of their sizes is recomputed with sumdb/tlog, and each is shown to begin the next one.
//
//	-card FILE       the card; FOLDER/card without it
//	-anchors DIR     copies of earlier checkpoints, named <size>-<root hex>
//	-proofs FILE     inclusion and consistency proofs as JSON, compared with those that tlog makes
//	-proof FILE      an offline proof of one entry, C2SP tlog-proof
//	-tiles DIR       an export, C2SP tlog-tiles; with FOLDER it must be of the same state
//	-cosigned FILE   a checkpoint with a witness's line, C2SP tlog-cosignature, under -witness VKEY
//	-inclusion N     every entry of a log of at most N entries is proven included (1024)
//	-bench           only read, hash and compare the root of FOLDER, and print the seconds as one line of JSON
//
// Without FOLDER, -card and one of -proof, -tiles, -cosigned must be given. One line a check; exit 0 when all hold, 1
// when one does not, 2 when it was called wrongly.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

var failed bool

// report prints one line and says whether the check held.
func report(what string, err error) bool {
	if err != nil {
		failed = true
		fmt.Printf("FAIL %s: %v\n", what, err)
		return false
	}
	fmt.Printf("ok %s\n", what)
	return true
}

type options struct {
	card, anchors, proofs, proof, tiles, cosigned, witness string
	inclusion                                              int64
	bench                                                  bool
}

func usage(err string) {
	fmt.Fprintf(os.Stderr, "checklog: %s\nusage: checklog [flags] [FOLDER]\n", err)
	os.Exit(2)
}

func main() {
	var o options
	flag.StringVar(&o.card, "card", "", "card of the log")
	flag.StringVar(&o.anchors, "anchors", "", "folder of earlier checkpoints")
	flag.StringVar(&o.proofs, "proofs", "", "proofs as JSON")
	flag.StringVar(&o.proof, "proof", "", "offline proof of one entry")
	flag.StringVar(&o.tiles, "tiles", "", "folder of exported tiles")
	flag.StringVar(&o.cosigned, "cosigned", "", "checkpoint with a cosignature")
	flag.StringVar(&o.witness, "witness", "", "verifier key of the cosignature")
	flag.Int64Var(&o.inclusion, "inclusion", 1024, "largest log whose every entry is proven")
	flag.BoolVar(&o.bench, "bench", false, "print seconds of parsing, hashing and the root")
	flag.Parse()
	folder := flag.Arg(0)
	alone := o.proof != "" || o.tiles != "" || o.cosigned != ""
	switch {
	case flag.NArg() > 1:
		usage("one folder at a time")
	case folder == "" && (o.card == "" || !alone):
		usage("give a folder, or -card and what to check with it")
	case folder == "" && (o.bench || o.proofs != "" || o.anchors != ""):
		usage("-bench, -proofs and -anchors need the folder")
	case (o.cosigned == "") != (o.witness == ""):
		usage("-cosigned and -witness belong together")
	}
	if o.card == "" {
		o.card = filepath.Join(folder, "card")
	}
	if folder != "" {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			usage("no such folder")
		}
	}
	run(folder, o)
	if failed {
		os.Exit(1)
	}
}

func run(folder string, o options) {
	keys, err := readCard(o.card)
	if !report("card", err) {
		return
	}
	if o.bench {
		report("bench", bench(folder, keys))
		return
	}
	var own *tree
	if folder != "" {
		if own = checkLog(folder, keys, o); own == nil {
			return
		}
	}
	if o.proof != "" {
		report("proof of one entry", offlineProof(o.proof, keys, own))
	}
	if o.tiles != "" {
		checkTiles(o.tiles, keys, own)
	}
	if o.cosigned != "" {
		report("cosignature", cosigned(o.cosigned, o.witness, keys))
	}
}

// checkLog gives the log's tree; nil when it cannot be had, which has then been reported.
func checkLog(folder string, keys *keyring, o options) *tree {
	signed, err := openIdentity(filepath.Join(folder, "checkpoint"), keys)
	if !report("checkpoint signed by the identity key", err) {
		return nil
	}
	own, err := grow(folder, signed.N, keys)
	if !report(fmt.Sprintf("%d entries, each following from the one before", signed.N), err) && own == nil {
		return nil
	}
	report("root", own.matches(signed))
	report("checkpoint signed by the epoch key", openCurrent(filepath.Join(folder, "checkpoint"), keys, own))
	report("no bundle beyond the signed size", nothingBeyond(folder, signed.N))
	states := checkSeals(folder, keys, own)
	if o.anchors != "" {
		states = append(states, checkAnchors(o.anchors, keys, own)...)
	}
	states = append(states, state{"checkpoint", signed})
	checkHistory(states, own)
	if signed.N <= o.inclusion {
		report("every entry is included", everyEntry(own, signed))
	}
	if o.proofs != "" {
		checkProofs(o.proofs, own.hashes)
	}
	return own
}
