package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// stage is the demo in a process of its own and a browser beside it.
type stage struct {
	dir     string
	demo    *exec.Cmd
	printed bytes.Buffer // read only after the demo has ended
	ended   chan struct{}

	portal  string            // its address, http://127.0.0.1:port
	api     client            // with the operator's key
	sim     client            // the simulator's control interface
	signIn  map[string]string // one-time links by role
	browser context.Context
	stop    []func()
}

// demoFile is demo.json (contracts/cli.md, "The demo world").
type demoFile struct {
	PortalURL, APIURL, SimulatorURL, CAFile string
	Keys, SignIn                            map[string]string
}

func newStage(ctx context.Context, chromium string) (*stage, error) {
	dir, err := os.MkdirTemp("", "tcap-browser-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	s := &stage{dir: dir, ended: make(chan struct{})}
	if err := errors.Join(s.startDemo(ctx), s.startBrowser(ctx, chromium)); err != nil {
		s.close()
		return nil, fmt.Errorf("%w\n%s", err, s.printed.String())
	}
	return s, nil
}

// startDemo builds the program and waits for the demo world. The port is one that the system says is free.
func (s *stage) startDemo(ctx context.Context) error {
	binary, data := filepath.Join(s.dir, "tcap"), filepath.Join(s.dir, "demo")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "tcap.cloud/cmd/tcap").CombinedOutput(); err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	s.demo = exec.Command(binary, "demo", "--data", data, "--listen", "127.0.0.1:0")
	s.demo.Dir, s.demo.Stdout, s.demo.Stderr = s.dir, &s.printed, &s.printed
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TCAP_") {
			s.demo.Env = append(s.demo.Env, v)
		}
	}
	if err := s.run(); err != nil {
		return fmt.Errorf("starting the demo: %w", err)
	}
	var file demoFile
	err := eventually(ctx, 90*time.Second, func() (bool, string, error) {
		select {
		case <-s.ended:
			return false, "", errors.New("it has ended")
		default:
		}
		raw, err := os.ReadFile(filepath.Join(data, "demo.json"))
		if errors.Is(err, fs.ErrNotExist) {
			return false, "no demo.json", nil
		}
		return true, "", errors.Join(err, json.Unmarshal(raw, &file))
	})
	if err != nil {
		return fmt.Errorf("waiting for the demo: %w", err)
	}
	s.portal, s.signIn = file.PortalURL, file.SignIn
	s.api = client{base: file.APIURL, key: file.Keys["operator"]}
	s.sim, err = trusting(file.SimulatorURL, file.CAFile)
	return err
}

// run starts the demo so that it ends with this process, however that ends: the signal for it is tied to the thread that
// starts the demo, which must therefore outlive it.
func (s *stage) run() error {
	s.demo.SysProcAttr = endsWithUs()
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.demo.Start()
		started <- err
		if err == nil {
			_ = s.demo.Wait() // it is killed
			close(s.ended)
		}
	}()
	return <-started
}

func (s *stage) startBrowser(ctx context.Context, chromium string) error {
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("headless", "new"), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.UserDataDir(filepath.Join(s.dir, "profile")))
	ctx, stop := chromedp.NewExecAllocator(ctx, flags...)
	s.stop = append(s.stop, stop)
	ctx, end := chromedp.NewContext(ctx)
	s.stop = append(s.stop, end)
	s.browser = ctx
	if err := chromedp.Do(ctx); err != nil {
		return fmt.Errorf("starting the browser: %w", err)
	}
	return nil
}

// close ends what was started, and waits until it is gone.
func (s *stage) close() {
	for i := len(s.stop) - 1; i >= 0; i-- {
		s.stop[i]()
	}
	if s.demo != nil && s.demo.Process != nil {
		_ = s.demo.Process.Kill()
		<-s.ended
	}
	_ = os.RemoveAll(s.dir)
}
