package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one run of the program. What it printed is shown only where the test fails.
type process struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	out   printed // standard output
	err   printed // standard error
	began time.Time

	ended chan struct{} // closed when it has
	state error
}

// printed is what a process has printed so far.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// start runs the program, and kills it at the end of the test where it still runs.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: exec.Command(tcap, args...), began: time.Now(), ended: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = bare()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.SysProcAttr = ownGroup()
	started := make(chan error)
	go func() {
		// The death signal is tied to the thread that starts the process, which must therefore outlive it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.state = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s printed at last:\n%s%s", name, tail(p.out.String()), tail(p.err.String()))
		}
	})
	return p
}

// bare is the environment without settings of the program.
func bare() []string {
	var out []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TCAP_") {
			out = append(out, v)
		}
	}
	return out
}

func tail(text string) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-80):], "")
}

// kill ends the process as a crash would, and waits until it is gone.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("killing %s: %v", p.name, err)
	}
	<-p.ended
}

// interrupt is Ctrl-C; it answers the exit code and how long the end took.
func (p *process) interrupt(limit time.Duration) (code int, took time.Duration) {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatalf("interrupting %s: %v", p.name, err)
	}
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.t.Fatalf("%s goes on %s after Ctrl-C", p.name, limit)
	}
	return p.cmd.ProcessState.ExitCode(), time.Since(began)
}

// running says whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// outcome of a run that ends by itself.
type outcome struct {
	code     int
	out, err string
}

// run runs the program to its end, which must come within a minute.
func run(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tcap, args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = t.TempDir(), append(bare(), env...), ownGroup()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || (err != nil && !errors.As(err, &exit)) {
		t.Fatalf("running tcap %s: %v: %s", strings.Join(args, " "), err, tail(errs.String()))
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
