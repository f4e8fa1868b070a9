//go:build !linux

package browser

import "syscall"

// endsWithUs can ask for nothing elsewhere: tests that are killed may leave a demo behind.
func endsWithUs() *syscall.SysProcAttr { return nil }
