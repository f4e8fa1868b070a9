package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/seal"
)

func newIdentity(t testing.TB) *seal.Identity {
	t.Helper()
	identity, err := seal.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// contoso is a full binding of Contoso's client secret.
func contoso() seal.Binding {
	return seal.Binding{
		Purpose: seal.ClientSecret, CustomerID: "42", Cloud: "global",
		TenantID: "2f1c7a6e-0000-4000-8000-000000000042", AppID: "7b1d0c3a-0000-4000-8000-000000000001", Row: "custom-app:7",
	}
}

func mustSeal(t testing.TB, r *seal.Recipients, plain string, b seal.Binding) seal.Sealed {
	t.Helper()
	sealed, err := r.Seal(seal.SecretFromString(plain), b)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatIsSealedOpensWithTheSameBinding(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	recipients := identity.Recipients()
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 1, 5000).Draw(t, "plain")
		b := drawBinding(t)
		sealed, err := recipients.Seal(seal.NewSecret(plain), b)
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) > 8 && bytes.Contains(sealed, plain) {
			t.Fatal("the plain value is in the sealed one")
		}
		opened, err := identity.Open(sealed, b)
		if err != nil || !bytes.Equal(opened.Reveal(), plain) {
			t.Fatalf("opened %d bytes, %v", len(opened.Reveal()), err)
		}
	})
}

func drawBinding(t *rapid.T) seal.Binding {
	text := rapid.StringMatching(`[a-z0-9:-]{1,12}`)
	return seal.Binding{
		Purpose:    rapid.SampledFrom(seal.Purposes()).Draw(t, "purpose"),
		CustomerID: text.Draw(t, "customer"), Cloud: text.Draw(t, "cloud"),
		TenantID: text.Draw(t, "tenant"), AppID: text.Draw(t, "app"), Row: rapid.StringMatching(`[a-z0-9:-]{0,4}`).Draw(t, "row"),
	}
}

func TestNoTwoBindingsOpenEachOthersValues(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawBinding(t), drawBinding(t)
		sealed, err := identity.Recipients().Seal(seal.SecretFromString("value"), a)
		if err != nil {
			t.Fatal(err)
		}
		_, err = identity.Open(sealed, b)
		if (err == nil) != (a == b) {
			t.Fatalf("%+v opened as %+v: %v", a, b, err)
		}
	})
}

func TestAMovedValueDoesNotOpen(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	sealed := mustSeal(t, identity.Recipients(), "s3cret", contoso())
	for name, move := range map[string]func(*seal.Binding){
		"to another customer":    func(b *seal.Binding) { b.CustomerID = "43" },
		"to another cloud":       func(b *seal.Binding) { b.Cloud = "gcc-high" },
		"to another tenant":      func(b *seal.Binding) { b.TenantID = "2f1c7a6e-0000-4000-8000-000000000043" },
		"to no tenant":           func(b *seal.Binding) { b.TenantID = "" },
		"to another application": func(b *seal.Binding) { b.AppID = "7b1d0c3a-0000-4000-8000-000000000002" },
		"to another purpose":     func(b *seal.Binding) { b.Purpose = seal.DelegatedToken },
		"to another row":         func(b *seal.Binding) { b.Row = "custom-app:8" },
		"to no row":              func(b *seal.Binding) { b.Row = "" },
		"across a field's edge":  func(b *seal.Binding) { b.CustomerID, b.Cloud = "42g", "lobal" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := contoso()
			move(&b)
			if opened, err := identity.Open(sealed, b); !errors.Is(err, seal.ErrWrongBinding) || !opened.IsEmpty() {
				t.Errorf("moved %s it answers %v", name, err)
			}
		})
	}
}

func TestTheSameGUIDInCapitalsOpens(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	b := contoso()
	sealed := mustSeal(t, identity.Recipients(), "s3cret", b)
	b.TenantID, b.AppID = "2F1C7A6E-0000-4000-8000-000000000042", "7B1D0C3A-0000-4000-8000-000000000001"
	if _, err := identity.Open(sealed, b); err != nil {
		t.Error(err)
	}
}

func TestAnAlteredByteAnywhereIsNoticed(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	sealed := mustSeal(t, identity.Recipients(), "s3cret", contoso())
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := identity.Open(altered, contoso()); err == nil {
			t.Errorf("byte %d can be altered", i)
		}
	}
	for n := range sealed {
		if _, err := identity.Open(sealed[:n], contoso()); err == nil {
			t.Errorf("cut to %d bytes it opens", n)
		}
	}
}

func TestSealRefusesAnIncompleteBinding(t *testing.T) {
	t.Parallel()
	recipients := newIdentity(t).Recipients()
	for name, spoil := range map[string]func(*seal.Binding){
		"undeclared purpose":         func(b *seal.Binding) { b.Purpose = "pet-name" },
		"no purpose":                 func(b *seal.Binding) { b.Purpose = "" },
		"no customer":                func(b *seal.Binding) { b.CustomerID = "" },
		"no cloud":                   func(b *seal.Binding) { b.Cloud = "" },
		"no application":             func(b *seal.Binding) { b.AppID = "" },
		"a token without its tenant": func(b *seal.Binding) { b.Purpose, b.TenantID = seal.DelegatedToken, "" },
	} {
		b := contoso()
		spoil(&b)
		if _, err := recipients.Seal(seal.SecretFromString("x"), b); !errors.Is(err, seal.ErrBinding) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSealRefusesNothingAndTooMuch(t *testing.T) {
	t.Parallel()
	recipients := newIdentity(t).Recipients()
	for _, size := range []int{0, seal.MaxPlain + 1} {
		if _, err := recipients.Seal(seal.NewSecret(make([]byte, size)), contoso()); !errors.Is(err, seal.ErrSize) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if _, err := recipients.Seal(seal.NewSecret(make([]byte, seal.MaxPlain)), contoso()); err != nil {
		t.Error(err)
	}
	var none *seal.Recipients
	if _, err := none.Seal(seal.SecretFromString("x"), contoso()); !errors.Is(err, seal.ErrNoRecipient) {
		t.Errorf("without recipients: %v", err)
	}
}

func TestTwoSealsOfOneValueDiffer(t *testing.T) {
	t.Parallel()
	recipients := newIdentity(t).Recipients()
	if bytes.Equal(mustSeal(t, recipients, "x", contoso()), mustSeal(t, recipients, "x", contoso())) {
		t.Error("equal values can be told apart from unequal ones")
	}
}

func TestOpenTellsWhatIsNoSealedValue(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	future := mustSeal(t, identity.Recipients(), "x", contoso())
	future[0] = 2
	for name, bad := range map[string]seal.Sealed{"nothing": nil, "text": []byte("hunter2"), "a later version": future,
		"too much": append(mustSeal(t, identity.Recipients(), "x", contoso()), make([]byte, seal.MaxPlain)...)} {
		if _, err := identity.Open(bad, contoso()); !errors.Is(err, seal.ErrNotSealed) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := seal.KeyID(bad); !errors.Is(err, seal.ErrNotSealed) {
			t.Errorf("%s has a key id: %v", name, err)
		}
	}
}

func TestAStrangersIdentityDoesNotOpen(t *testing.T) {
	t.Parallel()
	sealed := mustSeal(t, newIdentity(t).Recipients(), "x", contoso())
	if _, err := newIdentity(t).Open(sealed, contoso()); !errors.Is(err, seal.ErrUnknownKey) {
		t.Error(err)
	}
}

func FuzzSealedParser(f *testing.F) {
	identity := newIdentity(f)
	good := mustSeal(f, identity.Recipients(), "x", contoso())
	f.Add([]byte(good))
	f.Add([]byte(good[:80]))
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, idErr := seal.KeyID(raw)
		opened, err := identity.Open(raw, contoso())
		if err == nil && !bytes.Equal(raw, good) {
			t.Errorf("forged: %x opens to %d bytes", raw, len(opened.Reveal()))
		}
		if (idErr != nil) != errors.Is(err, seal.ErrNotSealed) {
			t.Errorf("KeyID says %v, Open says %v", idErr, err)
		}
		identity.NeedsReseal(raw)
	})
}
