package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A keyring holds the verifiers of one log: its identity key's, and each epoch key's as it becomes known.
type keyring struct {
	name     string // notevault/<origin>
	identity note.Verifier
	epochs   map[int64]note.Verifier
}

type card struct {
	Created  int64  `json:"created"`
	Device   string `json:"device"`
	Epoch0   string `json:"epoch0"`
	Identity string `json:"identity"`
	Origin   string `json:"origin"`
	Sig      string `json:"sig,omitempty"`
	V        int    `json:"v"`
	Vault    string `json:"vault"`
	Vik      string `json:"vik"`
}

// readCard checks the card against its own keys: it names the log and is signed by the vault identity it gives.
func readCard(path string) (*keyring, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var c card
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	whole, err := json.Marshal(c) // the fields stand in the order of their names, so this is the canonical form
	if err != nil || !bytes.Equal(append(whole, '\n'), data) {
		return nil, errors.New("not in canonical form")
	}
	identity, err1 := key(c.Identity)
	epoch0, err2 := key(c.Epoch0)
	vik, err3 := key(c.Vik)
	sig, err4 := base64.StdEncoding.Strict().DecodeString(c.Sig)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || c.V != 1 {
		return nil, errors.New("a field has the wrong form")
	}
	origin := sha256.Sum256(append(append([]byte{}, identity...), epoch0...))
	if hex.EncodeToString(origin[:16]) != c.Origin {
		return nil, errors.New("the keys do not give the log's name")
	}
	c.Sig = ""
	body, err := json.Marshal(c)
	if err != nil || !ed25519.Verify(vik, append([]byte("notevault/v1/card\x00"), body...), sig) {
		return nil, errors.New("the vault's signature does not hold")
	}
	keys := &keyring{name: "notevault/" + c.Origin, epochs: map[int64]note.Verifier{}}
	if keys.identity, err = verifier(keys.name, identity); err == nil {
		err = keys.learn(0, epoch0)
	}
	return keys, err
}

// learn takes the public key of an epoch.
func (k *keyring) learn(epoch int64, pub ed25519.PublicKey) error {
	v, err := verifier(fmt.Sprintf("%s/e%d", k.name, epoch), pub)
	k.epochs[epoch] = v
	return err
}

func key(text string) (ed25519.PublicKey, error) {
	data, err := hex.DecodeString(text)
	if err == nil && (len(data) != ed25519.PublicKeySize || hex.EncodeToString(data) != text) {
		err = errors.New("not a key of 32 bytes")
	}
	return data, err
}

func verifier(name string, pub ed25519.PublicKey) (note.Verifier, error) {
	text, err := note.NewEd25519VerifierKey(name, pub)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(text)
}

// openBoth wants exactly two signatures: of the identity key and, second, of an epoch in `epochs`.
func openBoth(path string, keys *keyring, epochs ...int64) (tlog.Tree, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	verifiers := []note.Verifier{keys.identity}
	for _, e := range epochs {
		if v := keys.epochs[e]; v != nil {
			verifiers = append(verifiers, v)
		}
	}
	n, err := note.Open(data, note.VerifierList(verifiers...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 0 || n.Sigs[0].Name != keys.name {
		return tlog.Tree{}, fmt.Errorf("%d verified and %d unknown signatures", len(n.Sigs), len(n.UnverifiedSigs))
	}
	if err := oneSpelling(n, data); err != nil {
		return tlog.Tree{}, err
	}
	return parseTree(n.Text, keys)
}

// oneSpelling: note.Open lets doubled lines and unused bits of base64 pass; we do not write such notes.
func oneSpelling(n *note.Note, data []byte) error {
	again := n.Text + "\n"
	for _, sig := range append(append([]note.Signature{}, n.Sigs...), n.UnverifiedSigs...) {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return errors.New("a signature in another spelling")
		}
		again += "\u2014 " + sig.Name + " " + sig.Base64 + "\n"
	}
	if again != string(data) {
		return errors.New("signature lines doubled or out of order")
	}
	return nil
}

// openIdentity opens a checkpoint before the entries have told the epoch keys: the identity's line is first and holds.
func openIdentity(path string, keys *keyring) (tlog.Tree, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openFirst(data, keys, keys.identity)
}

// openKnown opens a checkpoint under the identity key; a line of an epoch whose key is known by now must hold too.
func openKnown(data []byte, keys *keyring) (tlog.Tree, error) {
	known := []note.Verifier{keys.identity}
	for _, v := range keys.epochs {
		known = append(known, v)
	}
	n, err := note.Open(data, note.VerifierList(known...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(n.Sigs) < 2 { // then its epoch is one that we know nothing of
		name := ""
		if len(n.UnverifiedSigs) > 0 {
			name = strings.TrimPrefix(n.UnverifiedSigs[0].Name, keys.name+"/e")
		}
		epoch, err := strconv.ParseInt(name, 10, 64)
		if err != nil || epoch < 0 || keys.epochs[epoch] != nil {
			return tlog.Tree{}, errors.New("not signed by an epoch key")
		}
	}
	return openFirst(data, keys, known...)
}

func openFirst(data []byte, keys *keyring, known ...note.Verifier) (tlog.Tree, error) {
	n, err := note.Open(data, note.VerifierList(known...))
	if err == nil && n.Sigs[0].Name != keys.name {
		err = errors.New("not signed by the identity key")
	}
	if err == nil {
		err = oneSpelling(n, data)
	}
	if err != nil {
		return tlog.Tree{}, err
	}
	return parseTree(n.Text, keys)
}

// parseTree reads the text of a tlog-checkpoint of exactly three lines.
func parseTree(text string, keys *keyring) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tlog.Tree{}, errors.New("not three lines")
	}
	if lines[0] != keys.name {
		return tlog.Tree{}, errors.New("it is of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] || size < 0 {
		return tlog.Tree{}, errors.New("the size is not a number")
	}
	root, err := hash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// hash reads strict base64; tlog.ParseHash lets unused bits pass.
func hash(text string) (tlog.Hash, error) {
	var h tlog.Hash
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(data) != tlog.HashSize || strings.ContainsAny(text, "\r\n") {
		return h, errors.New("not a hash of 32 bytes")
	}
	copy(h[:], data)
	return h, nil
}
