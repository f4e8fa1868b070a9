//go:build unix

package pg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// user is who the server runs as. The zero value is whoever runs this process; PostgreSQL refuses to run as root, so
// root hands over to the user "postgres" that the package has made.
type user struct {
	switched bool
	uid, gid uint32
}

func unprivileged() (user, error) {
	if os.Geteuid() != 0 {
		return user{}, nil
	}
	u, err := osuser.Lookup("postgres")
	if err != nil {
		return user{}, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return user{}, fmt.Errorf("reading the user id of postgres: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return user{}, fmt.Errorf("reading the group id of postgres: %w", err)
	}
	return user{switched: true, uid: uint32(uid), gid: uint32(gid)}, nil
}

// own makes the command run as this user.
func (u user) own(cmd *exec.Cmd) {
	if u.switched {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: u.uid, Gid: u.gid}}
	}
}

// makeDir makes a private directory that this user can reach: root's TMPDIR may be closed to others. The name is short,
// as a Unix socket's path may be at most 107 bytes long.
func (u user) makeDir() (string, error) {
	base := os.TempDir()
	if u.switched && !open(base) {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "tcap-pg-")
	if err != nil {
		return "", fmt.Errorf("making PostgreSQL's directory: %w", err)
	}
	if u.switched {
		if err := os.Chown(dir, int(u.uid), int(u.gid)); err != nil {
			return "", fmt.Errorf("handing over PostgreSQL's directory: %w", err)
		}
	}
	return dir, nil
}

// open reports whether anybody may enter each folder of the path and write into the last.
func open(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o002 == 0 {
		return false
	}
	for p := filepath.Clean(path); ; p = filepath.Dir(p) {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if p == filepath.Dir(p) {
			return true
		}
	}
}

func (u user) writeFile(path, content string) error {
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	if u.switched {
		if err := os.Chown(path, int(u.uid), int(u.gid)); err != nil {
			return fmt.Errorf("handing over %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// detach keeps a Ctrl-C at the terminal from reaching the guardian, which has to clean up after it.
func detach(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

// gone reports whether no process has that id.
func gone(pid int) bool {
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
