package seal_test

import (
	"bytes"
	"encoding/base32"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"tcap.cloud/internal/base/seal"
)

const plainText = "correct-horse-battery"

// holder has its secret where fmt cannot call the secret's methods.
type holder struct {
	Name   string
	hidden seal.Secret
	Shown  seal.Secret
	inner  *holder
}

// document is what an encoder that names its elements can write.
type document struct{ Secret seal.Secret }

// leaks reports whether a print shows the value as text, as hexadecimal or as
// a list of byte values.
func leaks(out string) bool {
	decimal := strings.Trim(fmt.Sprint([]byte(plainText[:6])), "[]")
	var hexList []string
	for _, c := range []byte(plainText[:4]) {
		hexList = append(hexList, fmt.Sprintf("0x%x", c))
	}
	for _, form := range []string{plainText, decimal, fmt.Sprintf("%x", plainText), fmt.Sprintf("%X", plainText), strings.Join(hexList, ", ")} {
		if strings.Contains(out, form) {
			return true
		}
	}
	return false
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := seal.SecretFromString(plainText)
	nested := holder{Name: "Contoso", hidden: s, Shown: s, inner: &holder{hidden: s}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t", "%08.3f"} {
		if out := fmt.Sprintf(verb, s); out != "[sealed]" {
			t.Errorf("%s prints %q", verb, out)
		}
		for _, value := range []any{&s, nested, &nested, []seal.Secret{s}, map[string]seal.Secret{"k": s}, []any{s}} {
			if out := fmt.Sprintf(verb, value); leaks(out) {
				t.Errorf("%s of %T prints %q", verb, value, out)
			}
		}
	}
	// fmt asks no method for %p; it must show an address at most.
	pointerVerb := strings.Join([]string{"%", "p"}, "") // vet and staticcheck know the verb
	if out := fmt.Sprintf(pointerVerb, s) + fmt.Sprintf(pointerVerb, nested); leaks(out) {
		t.Errorf("%s prints %q", pointerVerb, out)
	}
	if s.String() != "[sealed]" || s.GoString() != "[sealed]" || leaks(fmt.Errorf("with %v", s).Error()) {
		t.Error("a string form shows the value")
	}
}

func TestSecretIsNeverLoggedOrEncoded(t *testing.T) {
	t.Parallel()
	s := seal.SecretFromString(plainText)
	nested := holder{Name: "Contoso", hidden: s, Shown: s}
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("paired", "secret", s, "pointer", &s, "nested", nested, "group", slog.GroupValue(slog.Any("s", s)))
	}
	for name, encode := range map[string]func(any) ([]byte, error){"json": json.Marshal, "xml": xml.Marshal, "yaml": yaml.Marshal} {
		encoded, err := encode(document{s})
		if err != nil || !strings.Contains(string(encoded), "[sealed]") {
			t.Errorf("%s: %q, %v", name, encoded, err)
		}
		out.Write(encoded)
	}
	keyed, err := json.Marshal(map[string]any{"a": s, "b": nested})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(keyed)
	if leaks(out.String()) || !strings.Contains(out.String(), "[sealed]") {
		t.Errorf("logged or encoded: %s", out.String())
	}
}

func TestIdentityIsNeverPrinted(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	text, err := identity.Text()
	if err != nil {
		t.Fatal(err)
	}
	private := strings.TrimPrefix(lastLine(string(text.Reveal())), "tcap-identity-1-")
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("started", "identity", identity, "opener", seal.NewOpener(identity))
	encoded, err := json.Marshal(any(identity)) //lint:ignore SA9005 that nothing comes of it is what is tested
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	fmt.Fprintf(&out, "%v %+v %#v %s %x", identity, identity, identity, identity, identity)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%t"} {
		fmt.Fprintf(&out, verb, seal.NewOpener(identity))
		fmt.Fprintf(&out, verb, struct{ i *seal.Identity }{identity})
	}
	if strings.Contains(out.String(), private[20:40]) || leaksKey(t, out.String(), private) {
		t.Errorf("the private key is printed: %s", out.String())
	}
	if !strings.Contains(out.String(), identity.Recipients().KeyIDs()[0]) {
		t.Errorf("the identity does not name its key: %s", out.String())
	}
}

// leaksKey reports whether a print holds the private key's bytes, written as
// fmt writes bytes, in any of four ways.
func leaksKey(t *testing.T, out, text string) bool {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(text))
	if err != nil {
		t.Fatal(err)
	}
	key := raw[8:40]
	list := strings.Trim(fmt.Sprint(key[4:12]), "[]")
	goList := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", key[4:12]), "[]byte{"), "}")
	hexList := strings.Trim(fmt.Sprintf("% x", key[4:12]), "[]")
	return slices.ContainsFunc([]string{list, goList, hexList, fmt.Sprintf("%x", key[4:12])},
		func(form string) bool { return strings.Contains(out, form) })
}

func TestSecretKeepsItsOwnCopyAndForgetsOnDestroy(t *testing.T) {
	t.Parallel()
	source := []byte(plainText)
	s := seal.NewSecret(source)
	clear(source)
	if string(s.Reveal()) != plainText || s.IsEmpty() {
		t.Error("the secret shares its caller's bytes")
	}
	other := s
	kept := other.Reveal()
	s.Destroy()
	if !s.IsEmpty() || !other.IsEmpty() || !bytes.Equal(kept, make([]byte, len(kept))) {
		t.Error("a destroyed secret can still be read")
	}
	var zero seal.Secret
	zero.Destroy()
	if !zero.IsEmpty() || zero.Reveal() != nil || fmt.Sprint(zero) != "[sealed]" {
		t.Error("the zero secret is not empty")
	}
}

func TestSecretsCompareByValue(t *testing.T) {
	t.Parallel()
	a, b, c := seal.SecretFromString("one"), seal.SecretFromString("one"), seal.SecretFromString("two")
	if !a.Equal(b) || a.Equal(c) || a.Equal(seal.Secret{}) || !(seal.Secret{}).Equal(seal.Secret{}) {
		t.Error("Equal is wrong")
	}
}

func TestEachPurposeOpensForItsJobsAlone(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	opener := seal.NewOpener(identity)
	// Transcribed from the design, not from the list.
	want := map[seal.Purpose][]string{
		seal.AuthorizationCode:      {"redeem-consent"},
		seal.PKCEVerifier:           {"redeem-consent"},
		seal.DelegatedToken:         {"administrator-step"},
		seal.ClientSecret:           {"tenant-session"},
		seal.ServiceAccountPassword: {"create-resource-account"},
	}
	if len(want) != len(seal.Purposes()) {
		t.Errorf("declared purposes: %v", seal.Purposes())
	}
	for _, purpose := range seal.Purposes() {
		b := contoso()
		b.Purpose = purpose
		sealed := mustSeal(t, identity.Recipients(), "x", b)
		if !slices.Equal(seal.JobsFor(purpose), want[purpose]) {
			t.Errorf("%s may be opened by %v", purpose, seal.JobsFor(purpose))
		}
		for _, job := range []string{"redeem-consent", "administrator-step", "tenant-session", "create-resource-account", "portal", ""} {
			_, err := opener.For(job).Open(sealed, b)
			if slices.Contains(want[purpose], job) && err != nil {
				t.Errorf("%s cannot open %s: %v", job, purpose, err)
			}
			if !slices.Contains(want[purpose], job) && !errors.Is(err, seal.ErrForbidden) {
				t.Errorf("%s opening %s answers %v", job, purpose, err)
			}
		}
	}
}

func TestAJobCannotOpenByNamingAnotherPurpose(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	b := contoso()
	b.Purpose = seal.ServiceAccountPassword
	sealed := mustSeal(t, identity.Recipients(), "x", b)
	b.Purpose = seal.ClientSecret
	if _, err := seal.NewOpener(identity).For(seal.JobTenantSession).Open(sealed, b); !errors.Is(err, seal.ErrWrongBinding) {
		t.Error(err)
	}
}

func TestTheWebRoleOpensNothing(t *testing.T) {
	t.Parallel()
	sealed := mustSeal(t, newIdentity(t).Recipients(), "x", contoso())
	var web seal.Opener
	if _, err := web.For(seal.JobTenantSession).Open(sealed, contoso()); !errors.Is(err, seal.ErrNoIdentity) {
		t.Error(err)
	}
	var none *seal.Identity
	if _, err := none.Open(sealed, contoso()); !errors.Is(err, seal.ErrNoIdentity) {
		t.Error(err)
	}
}
