package e2e

import "syscall"

// ownGroup puts a process into a group of its own, and has it end where this one is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
