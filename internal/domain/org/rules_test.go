package org

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/access"
)

func TestARoleIsWithinAnotherExactlyWhereItPermitsNoMore(t *testing.T) {
	t.Parallel()
	within := map[access.Role][]access.Role{
		access.Viewer:  {access.Viewer, access.Agent, access.Admin},
		access.Agent:   {access.Agent, access.Admin},
		access.Admin:   {access.Admin},
		access.Billing: {access.Billing, access.Viewer, access.Agent, access.Admin},
		access.SBC:     {access.SBC, access.Admin},
	}
	for _, r := range append(roles(), "", "god") {
		for _, other := range append(roles(), "", "god") {
			want := false
			for _, w := range within[r] {
				want = want || w == other
			}
			if got := roleWithin(r, other); got != want {
				t.Errorf("%q within %q: %v", r, other, got)
			}
		}
	}
}

func TestAFoldedNameIsFoundByEveryPartOfIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.String().Draw(r, "name")
		key := fold(s)
		if fold(key) != key {
			r.Fatalf("folding %q again gives %q", key, fold(key))
		}
		if strings.ContainsFunc(key, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Mn, c) }) {
			r.Fatalf("%q keeps marks or control characters", key)
		}
	})
}

func TestACursorGivesBackWhatItWasMadeOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		c := cursor{Sort: "name", Key: clean(rapid.String().Draw(r, "key")), ID: clean(rapid.String().Draw(r, "id"))}
		got, err := parseCursor(c.String(), "name")
		if err != nil || got != c {
			r.Fatalf("got %+v, %v", got, err)
		}
	})
}

func TestAPasswordHashHoldsItsCostAndOpensWithItsPasswordAlone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := newHasher()
	h.cost = cost{memory: 64, time: 1, threads: 1} // cheap: the rule is tried, not the price
	rapid.Check(t, func(r *rapid.T) {
		good, other := rapid.StringN(12, 40, 200).Draw(r, "password"), rapid.String().Draw(r, "other")
		text, err := h.hash(ctx, good)
		if err != nil {
			r.Fatal(err)
		}
		if !strings.HasPrefix(text, "$argon2id$v=19$m=64,t=1,p=1$") {
			r.Fatalf("the hash %q does not hold its cost", text)
		}
		for password, want := range map[string]bool{other: other == good, good: true} {
			// A hasher of another cost reads the cost from the text.
			if got, err := newHasher().verify(ctx, text, password); err != nil || got != want {
				r.Fatalf("%q against %q: %v, %v", password, good, got, err)
			}
		}
	})
}

func TestAnUnreadablePasswordHashIsAnErrorNotASignIn(t *testing.T) {
	t.Parallel()
	salt, hash := strings.Repeat("A", 22), strings.Repeat("A", 43)
	for _, text := range []string{"x", "$bcrypt$v=19$m=64,t=1,p=1$" + salt + "$" + hash, "$argon2id$v=18$m=64,t=1,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=64,t=1$" + salt + "$" + hash, "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$AAAA", "$argon2id$v=19$m=64,t=1,p=1$!$" + hash, "$argon2id$v=19$m=64,t=1,p=1$AAAA$" + hash} {
		if ok, err := newHasher().verify(context.Background(), text, "any password"); ok || err == nil {
			t.Errorf("%q: %v, %v", text, ok, err)
		}
	}
}

func TestAnUnknownAddressCostsAsMuchAsAWrongPassword(t *testing.T) {
	t.Parallel()
	h := newHasher()
	c, salt, hash, err := parseHash(h.dummy)
	if err != nil || c != h.cost || len(salt) != saltLength || len(hash) != hashLength {
		t.Fatalf("the comparison for unknown addresses has cost %+v, %v", c, err)
	}
	if ok, err := h.verify(context.Background(), "", ""); ok || err != nil {
		t.Fatalf("got %v, %v", ok, err)
	}
}

func TestHashingWaitsNoLongerThanItsRequest(t *testing.T) {
	t.Parallel()
	h := newHasher()
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.hash(ctx, "any password at all"); err == nil {
		t.Fatal("a hash was made without a slot")
	}
}

func TestAFloodOfAddressesIsForgottenNotKept(t *testing.T) {
	t.Parallel()
	a := newAttempts()
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range maxAddresses + 50 {
		if _, ok, _ := a.begin(fmt.Sprint(i), now); !ok {
			t.Fatal("a first attempt was turned away")
		}
	}
	if len(a.failed) > maxAddresses {
		t.Fatalf("%d addresses are kept", len(a.failed))
	}
	a.sweep(now.Add(failureWindow))
	if len(a.failed) != 0 {
		t.Fatalf("%d addresses are kept after their time", len(a.failed))
	}
}
