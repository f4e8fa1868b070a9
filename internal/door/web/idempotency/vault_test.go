package idempotency

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestOnlyTheSameKeyOpensWhatItSealedAndOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain, bound := rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), rapid.SliceOf(rapid.Byte()).Draw(t, "bound")
		mine, err := newVault("tcap_mine")
		if err != nil {
			t.Fatal(err)
		}
		other, err := newVault("tcap_other")
		if err != nil {
			t.Fatal(err)
		}
		sealed := mine.seal(plain, bound)
		if got, err := mine.open(sealed, bound); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%x %v", got, err)
		}
		if _, err := other.open(sealed, bound); err == nil {
			t.Fatal("another key opens it")
		}
		if _, err := mine.open(sealed, append(bound, 'x')); err == nil {
			t.Fatal("it opens in another place")
		}
		if bytes.Equal(mine.hash(plain), other.hash(plain)) || !bytes.Equal(mine.hash(plain), mine.hash(plain)) {
			t.Fatal("the hash does not follow the key")
		}
	})
}
