package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const cosignatureV1 = 0x04

// A witness is a note.Verifier of C2SP cosignatures: Ed25519 over a time and the checkpoint's text. It keeps the time.
type witness struct {
	name string
	hash uint32
	pub  ed25519.PublicKey
	time uint64
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	w.time = binary.BigEndian.Uint64(sig)
	if w.time > 1<<63-1 {
		return false
	}
	msg := fmt.Sprintf("cosignature/v1\ntime %d\n%s", w.time, text)
	return ed25519.Verify(w.pub, []byte(msg), sig[8:])
}

// newWitness reads a verifier key; note.NewVerifier knows only the algorithm 0x01.
func newWitness(vkey string) (*witness, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a verifier key")
	}
	data, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(data) != 1+ed25519.PublicKeySize || data[0] != cosignatureV1 {
		return nil, errors.New("not a verifier key for cosignatures")
	}
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(data)))
	if fmt.Sprintf("%x", sum[:4]) != parts[1] {
		return nil, errors.New("the verifier key has another id")
	}
	return &witness{name: parts[0], hash: binary.BigEndian.Uint32(sum[:]), pub: data[1:]}, nil
}

// cosigned opens a checkpoint under the identity key and the witness's; both must have signed.
func cosigned(path, vkey string, keys *keyring) error {
	w, err := newWitness(vkey)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	n, err := note.Open(data, note.VerifierList(keys.identity, w))
	if err != nil {
		return err
	}
	if len(n.Sigs) != 2 {
		return errors.New("not signed by both the log and the witness")
	}
	signed, err := parseTree(n.Text, keys)
	if err == nil {
		fmt.Printf("witnessed %d entries at %d\n", signed.N, w.time)
	}
	return err
}
