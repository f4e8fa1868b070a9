package browser

import "syscall"

// endsWithUs has the system kill the demo where the tests end without doing so.
func endsWithUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
