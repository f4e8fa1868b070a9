package seal

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrFileMode: others than the owner may read or write the identity file.
var ErrFileMode = errors.New("the identity file must be readable by its owner alone (mode 0600 or 0400)")

// maxIdentityFile is more than a thousand keys; a larger file is a mistake.
const maxIdentityFile = 1 << 20

// LoadIdentity reads an identity file. It refuses one that group or others
// have any right to (ErrFileMode), as a secret that was readable once has to
// be taken for known. The mode is asked of the opened file, so that it cannot
// be exchanged in between.
func LoadIdentity(path string) (*Identity, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the identity file: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("asking the mode of the identity file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("reading %s: not a regular file", path)
	}
	if info.Mode().Perm()&0o177 != 0 {
		return nil, fmt.Errorf("reading %s (mode %04o): %w", path, info.Mode().Perm(), ErrFileMode)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxIdentityFile))
	if err != nil {
		return nil, fmt.Errorf("reading the identity file: %w", err)
	}
	defer clear(text)
	return ParseIdentity(text)
}

// WriteIdentity writes an identity to a new file of mode 0600. A file that is
// there already is never overwritten: losing a key loses what it sealed.
func WriteIdentity(path string, identity *Identity) error {
	text, err := identity.Text()
	if err != nil {
		return err
	}
	defer text.Destroy()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making the identity file: %w", err)
	}
	_, err = file.Write(text.Reveal())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing the identity file: %w", err)
	}
	return nil
}
