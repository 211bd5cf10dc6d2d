package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// bench reads a log once, in bounded memory but for its hashes, and prints where the time went, in seconds.
func bench(folder string, keys *keyring) error {
	begun := time.Now()
	signed, err := openIdentity(filepath.Join(folder, "checkpoint"), keys)
	if err != nil {
		return err
	}
	var parse, hashing time.Duration
	var bytes int64
	hashes := make(store, 0, 2*1024*1024)
	err = walk(folder, signed.N, func(i int64, data []byte) error {
		start := time.Now()
		var e entry
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		parsed := time.Now()
		more, err := tlog.StoredHashes(i, data, hashes)
		hashes = append(hashes, more...)
		parse += parsed.Sub(start)
		hashing += time.Since(parsed)
		bytes += int64(len(data))
		return err
	})
	if err != nil {
		return err
	}
	start := time.Now()
	err = (&tree{size: signed.N, hashes: hashes}).matches(signed)
	root, total := time.Since(start), time.Since(begun)
	line, _ := json.Marshal(map[string]float64{
		"bytes": float64(bytes), "entries": float64(signed.N), "hash": hashing.Seconds(), "parse": parse.Seconds(),
		"read": (total - parse - hashing - root).Seconds(), "root": root.Seconds(), "total": total.Seconds(),
	})
	fmt.Println(string(line))
	return err
}
