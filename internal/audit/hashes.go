package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// hashHex, link and headLines are written anew here, not taken from the ledger:
// a mistake there must not verify itself.
func hashHex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// link is the hash of an entry behind the one before it.
func link(previous, body string) string { return hashHex(previous + "\n" + body) }

// headLines is the digest of heads: of lines of chain, place and hash.
type headLines struct{ sum hash.Hash }

func newHeadLines() headLines { return headLines{sha256.New()} }

func (h headLines) add(chain, seq int64, hash string) {
	_, _ = fmt.Fprintf(h.sum, "%d %d %s\n", chain, seq, hash) // a hash never fails to take bytes
}

func (h headLines) digest() string { return hex.EncodeToString(h.sum.Sum(nil)) }
