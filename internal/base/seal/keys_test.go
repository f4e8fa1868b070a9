package seal_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tcap.cloud/internal/base/seal"
)

func rotate(t *testing.T, i *seal.Identity) *seal.Identity {
	t.Helper()
	next, err := i.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestRotationKeepsOldValuesReadableAndSealsToTheNewest(t *testing.T) {
	t.Parallel()
	first := newIdentity(t)
	old := mustSeal(t, first.Recipients(), "s3cret", contoso())
	second := rotate(t, first)
	if opened, err := second.Open(old, contoso()); err != nil || string(opened.Reveal()) != "s3cret" {
		t.Fatalf("after rotation the old value answers %v", err)
	}
	if first.NeedsReseal(old) || !second.NeedsReseal(old) || !second.Recipients().NeedsReseal(old) {
		t.Error("NeedsReseal does not tell the old key from the newest")
	}
	fresh := mustSeal(t, second.Recipients(), "s3cret", contoso())
	id, err := seal.KeyID(fresh)
	if err != nil || id != second.Recipients().KeyIDs()[0] || second.NeedsReseal(fresh) {
		t.Errorf("sealed to %s (%v), newest is %v", id, err, second.Recipients().KeyIDs())
	}
	if oldID, _ := seal.KeyID(old); oldID != first.Recipients().KeyIDs()[0] || oldID == id {
		t.Errorf("old value names key %s", oldID)
	}
}

func TestNewSealsGoToTheNewestWhateverTheOrder(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	for range 4 {
		identity = rotate(t, identity)
	}
	words := strings.Fields(identity.Recipients().String())
	newest := identity.Recipients().KeyIDs()[0]
	slices.Reverse(words)
	for _, text := range []string{strings.Join(words, ","), strings.Join(words, "\n"), strings.Join(append(words, words...), " , ")} {
		recipients, err := seal.ParseRecipients(text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(recipients.KeyIDs(), identity.Recipients().KeyIDs()) {
			t.Errorf("keys are %v", recipients.KeyIDs())
		}
		if id, _ := seal.KeyID(mustSeal(t, recipients, "x", contoso())); id != newest {
			t.Errorf("sealed to %s, newest is %s", id, newest)
		}
	}
}

func TestResealMovesToTheNewestKeyAndKeepsTheBinding(t *testing.T) {
	t.Parallel()
	first := newIdentity(t)
	old := mustSeal(t, first.Recipients(), "s3cret", contoso())
	second := rotate(t, first)
	moved, err := second.Reseal(old, contoso())
	if err != nil || second.NeedsReseal(moved) {
		t.Fatalf("re-sealed: %v", err)
	}
	retired, err := second.Retire(first.Recipients().KeyIDs()[0])
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := retired.Open(moved, contoso()); err != nil || string(opened.Reveal()) != "s3cret" {
		t.Errorf("after retiring the old key: %v", err)
	}
	if _, err := retired.Open(old, contoso()); !errors.Is(err, seal.ErrUnknownKey) {
		t.Errorf("a value of the retired key answers %v", err)
	}
	again, err := second.Reseal(moved, contoso())
	if err != nil || string(again) != string(moved) {
		t.Errorf("a value of the newest key was sealed anew: %v", err)
	}
	stranger := contoso()
	stranger.CustomerID = "43"
	if _, err := second.Reseal(old, stranger); !errors.Is(err, seal.ErrWrongBinding) {
		t.Errorf("re-sealing for another customer answers %v", err)
	}
}

func TestRetireRefusesTheNewestAndTheUnknown(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	if _, err := identity.Retire(identity.Recipients().KeyIDs()[0]); err == nil {
		t.Error("the newest key can be retired")
	}
	if _, err := identity.Retire("0011223344556677"); !errors.Is(err, seal.ErrUnknownKey) {
		t.Error(err)
	}
}

func TestIdentityFileGoesRound(t *testing.T) {
	t.Parallel()
	identity := rotate(t, newIdentity(t))
	path := filepath.Join(t.TempDir(), "identity")
	if err := seal.WriteIdentity(path, identity); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	loaded, err := seal.LoadIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Recipients().String() != identity.Recipients().String() {
		t.Error("the keys changed on the way")
	}
	sealed := mustSeal(t, identity.Recipients(), "x", contoso())
	if _, err := loaded.Open(sealed, contoso()); err != nil {
		t.Error(err)
	}
	if err := seal.WriteIdentity(path, newIdentity(t)); !errors.Is(err, os.ErrExist) {
		t.Errorf("an identity file can be overwritten: %v", err)
	}
}

func TestLoadIdentityRefusesAFileOthersCanReach(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "identity")
	if err := seal.WriteIdentity(path, newIdentity(t)); err != nil {
		t.Fatal(err)
	}
	for mode, allowed := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o644: false, 0o620: false, 0o700: false, 0o660: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := seal.LoadIdentity(path)
		if allowed && err != nil && !errors.Is(err, os.ErrPermission) || !allowed && !errors.Is(err, seal.ErrFileMode) {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

func TestLoadIdentityRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := seal.LoadIdentity(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := seal.LoadIdentity(dir); err == nil {
		t.Error("a directory was read as an identity")
	}
}

func TestMistypedKeysAreRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	text, err := identity.Text()
	if err != nil {
		t.Fatal(err)
	}
	private := lastLine(string(text.Reveal()))
	public := identity.Recipients().String()
	for name, bad := range map[string]string{
		"nothing": "", "a comment alone": "# none", "a recipient": public, "a cut line": private[:len(private)-1],
		"a changed letter": flip(private), "capitals": strings.ToUpper(private), "a password": "hunter2hunter2",
		"the private part under the public prefix": strings.Replace(private, "identity", "recipient", 1),
	} {
		_, err := seal.ParseIdentity([]byte(bad))
		if !errors.Is(err, seal.ErrKeyText) {
			t.Errorf("%s: %v", name, err)
		}
		if bad != "" && err != nil && strings.Contains(err.Error(), bad) {
			t.Errorf("%s: the error repeats the text", name)
		}
	}
	for name, bad := range map[string]string{
		"an identity": private, "a cut text": public[:40], "a changed letter": flip(public), "one good, one bad": public + " x",
		"the private part under the public prefix": strings.Replace(private, "identity", "recipient", 1),
	} {
		if _, err := seal.ParseRecipients(bad); !errors.Is(err, seal.ErrKeyText) {
			t.Errorf("recipients from %s: %v", name, err)
		}
	}
	if _, err := seal.ParseRecipients(" ,\n"); !errors.Is(err, seal.ErrNoRecipient) {
		t.Error(err)
	}
}

func TestRecipientsCarryTheirPrefixAndNoPrivateKey(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	if !strings.HasPrefix(identity.Recipients().String(), "tcap-recipient-1") {
		t.Error(identity.Recipients())
	}
	text, err := identity.Text()
	if err != nil {
		t.Fatal(err)
	}
	secretPart := strings.TrimPrefix(lastLine(string(text.Reveal())), "tcap-identity-1-")[20:40]
	if strings.Contains(identity.Recipients().String(), secretPart) {
		t.Error("a part of the private key is in the recipients")
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// flip exchanges one letter in the middle for another of the alphabet.
func flip(text string) string {
	at := len(text) / 2
	other := "a"
	if text[at] == 'a' {
		other = "b"
	}
	return text[:at] + other + text[at+1:]
}

func FuzzParseKeys(f *testing.F) {
	identity := newIdentity(f)
	text, err := identity.Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text.Reveal()))
	f.Add(identity.Recipients().String())
	f.Add("tcap-identity-1-")
	f.Add("# only\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if recipients, err := seal.ParseRecipients(text); err == nil {
			again, err := seal.ParseRecipients(recipients.String())
			if err != nil || again.String() != recipients.String() {
				t.Errorf("recipients do not go round: %v", err)
			}
		}
		if parsed, err := seal.ParseIdentity([]byte(text)); err == nil {
			out, err := parsed.Text()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := seal.ParseIdentity(out.Reveal()); err != nil || again.String() != parsed.String() {
				t.Errorf("identity does not go round: %v", err)
			}
		}
	})
}
