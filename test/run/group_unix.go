//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// inOwnGroup lets the end of the context reach the test binaries too, not only `go test`.
func inOwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
