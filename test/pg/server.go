package pg

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// startTimeout is generous: initdb on a loaded two-core machine has been seen to take four seconds.
const startTimeout = time.Minute

// Server is a PostgreSQL that this process has started and that ends with it.
type Server struct {
	URL string // of the database "postgres", as superuser, over loopback
	Dir string // data, socket and log; gone after Stop
	PID int    // of the postmaster

	alive  io.Closer     // closing it ends the server
	exited chan struct{} // closed when the guardian is gone
}

// Launch initialises a data directory and starts a server on a free loopback port. It answers ErrMissing where there are
// no binaries. The server is stopped and its files removed by Stop, or when this process ends, however it ends.
func Launch(ctx context.Context) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// Between asking for a free port and PostgreSQL taking it somebody else may have it: three tries.
	for range 3 {
		var s *Server
		if s, err = launch(ctx, bin, who); err == nil || ctx.Err() != nil {
			return s, err
		}
	}
	return nil, err
}

func launch(ctx context.Context, bin string, who user) (*Server, error) {
	dir, err := who.makeDir()
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir}
	password, err := initialise(ctx, bin, dir, who)
	if err == nil {
		err = s.start(ctx, bin, password, who)
	}
	if err == nil {
		return s, nil
	}
	if s.alive != nil {
		_ = s.Stop()
	}
	_ = os.RemoveAll(dir)
	return nil, err
}

// Stop ends the server and waits until its files are gone.
func (s *Server) Stop() error {
	_ = s.alive.Close()
	select {
	case <-s.exited:
	case <-time.After(startTimeout):
		return fmt.Errorf("PostgreSQL (process %d) has not ended", s.PID)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("PostgreSQL's directory %s is still there", s.Dir)
	}
	return nil
}

// binaries finds the newest installed server: Debian keeps it out of the PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", fmt.Errorf("looking for PostgreSQL: %w", err)
	}
	version := func(p string) float64 {
		v, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(p))), 64)
		return v
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) > version(found[j]) })
	if p, err := exec.LookPath("postgres"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			found = append(found, p)
		}
	}
	for _, p := range found {
		if _, err := os.Stat(filepath.Join(filepath.Dir(p), "initdb")); err == nil {
			return filepath.Dir(p), nil
		}
	}
	return "", ErrMissing
}

// initialise runs initdb. The password keeps other users of the machine out: a superuser of the database can run
// programs as the user that the server runs as.
func initialise(ctx context.Context, bin, dir string, who user) (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("making a password: %w", err)
	}
	password := hex.EncodeToString(b[:])
	file := filepath.Join(dir, "password")
	if err := who.writeFile(file, password+"\n"); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres",
		"--auth=password", "--pwfile="+file, "--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.Dir = dir
	who.own(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, tail(out))
	}
	return password, nil
}

// guardian starts the server, writes its process id, and waits until its own standard input closes: that happens when
// this process closes it or dies, SIGKILL included. Then it stops exactly the process it started and removes the
// directory; if the server died before, its log is there until then.
const guardian = `dir=$1; shift
"$@" </dev/null >"$dir/log" 2>&1 &
pid=$!
echo $pid
read -r _
kill -QUIT $pid 2>/dev/null
wait $pid 2>/dev/null
cd / && rm -rf "$dir"`

func (s *Server) start(ctx context.Context, bin, password string, who user) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", guardian, "sh", s.Dir, filepath.Join(bin, "postgres")}, settings(s.Dir, port)...)...)
	cmd.Dir = s.Dir
	who.own(cmd)
	detach(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("making the server's pipe: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("making the server's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	if _, err := fmt.Fscan(stdout, &s.PID); err != nil {
		return fmt.Errorf("reading the server's process id: %w", err)
	}
	s.alive, s.exited = stdin, make(chan struct{})
	go func() { _ = cmd.Wait(); close(s.exited) }()
	s.URL = (&url.URL{Scheme: "postgres", User: url.UserPassword("postgres", password),
		Host: net.JoinHostPort("127.0.0.1", port), Path: "/postgres", RawQuery: "sslmode=disable"}).String()
	return s.ready(ctx)
}

// settings are for tests alone: nothing survives a power cut, and many short connections are welcome.
func settings(dir, port string) []string {
	args := []string{"-D", filepath.Join(dir, "data")}
	for _, s := range []string{
		"port=" + port, "listen_addresses=127.0.0.1", "unix_socket_directories=" + dir, "max_connections=200",
		"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=on",
	} {
		args = append(args, "-c", s)
	}
	return args
}

// ready waits until the server answers. There is no signal to wait for but the answer itself.
func (s *Server) ready(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := execSQL(ctx, s.URL, "SELECT 1")
		if err == nil {
			return nil
		}
		if gone(s.PID) || ctx.Err() != nil {
			log, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, tail(log))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

func tail(b []byte) string {
	lines := strings.Split(string(bytes.TrimSpace(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
