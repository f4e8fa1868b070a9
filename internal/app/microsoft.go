package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"gopkg.in/yaml.v3"

	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/remote/tenant"
)

// microsoft is where Microsoft is for this process: its own hosts, or a stand-in's.
type microsoft struct {
	directory tenant.Directory
	client    *http.Client
	clock     clock.Clock
	shifted   *clock.Shifted
	clockURL  string
}

// endpointFile is what --microsoft-endpoints names: addresses by cloud, and a clock that due times follow.
type endpointFile struct {
	Clouds map[tenant.Cloud]struct {
		Authority string `yaml:"authority"`
		Graph     string `yaml:"graph"`
		Teams     string `yaml:"teams"`
		Browser   string `yaml:"browser"`
	} `yaml:"clouds"`
	Clock string `yaml:"clock"`
}

func (s Settings) microsoft() (microsoft, error) {
	m := microsoft{directory: tenant.MicrosoftEndpoints(), client: &http.Client{Timeout: 2 * time.Minute}, clock: clock.System{}}
	if s.MicrosoftEndpoint != "" {
		if err := m.read(s.MicrosoftEndpoint); err != nil {
			return m, err
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	if s.MicrosoftCA != "" {
		pem, err := os.ReadFile(s.MicrosoftCA)
		if err != nil {
			return m, fmt.Errorf("reading the authority to trust: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return m, fmt.Errorf("%s holds no certificate", s.MicrosoftCA)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	m.client.Transport = transport
	return m, nil
}

func (m *microsoft) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading Microsoft's addresses: %w", err)
	}
	defer f.Close()
	var file endpointFile
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return fmt.Errorf("reading Microsoft's addresses from %s: %w", path, err)
	}
	for cloud, e := range file.Clouds {
		m.directory[cloud] = tenant.Endpoints{Authority: e.Authority, Graph: e.Graph, Teams: e.Teams, Browser: e.Browser}
	}
	if err := m.directory.Validate(); err != nil {
		return err
	}
	if file.Clock != "" {
		m.clockURL, m.shifted = file.Clock, &clock.Shifted{}
		m.clock = m.shifted
	}
	return nil
}

// follow keeps the clock at the stand-in's until the context ends; without a stand-in there is nothing to follow.
func (m microsoft) follow(ctx context.Context) error {
	if m.clockURL == "" {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		_ = m.look(ctx) // away for a moment: the offset stays as it was
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look asks once. The first time it must answer, or due times would be decided by the wrong clock.
func (m microsoft) look(ctx context.Context) error {
	if m.clockURL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.clockURL, nil)
	if err != nil {
		return fmt.Errorf("asking the simulator's clock: %w", err)
	}
	res, err := m.client.Do(req)
	if err != nil {
		return fmt.Errorf("asking the simulator's clock: %w", err)
	}
	defer res.Body.Close()
	var body struct {
		OffsetSeconds *float64 `json:"offsetSeconds"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 4096)).Decode(&body); err != nil {
		return fmt.Errorf("reading the simulator's clock: %w", err)
	}
	if res.StatusCode != http.StatusOK || body.OffsetSeconds == nil {
		return errors.New("the simulator's clock did not answer its offset")
	}
	m.shifted.Shift(time.Duration(*body.OffsetSeconds * float64(time.Second)))
	return nil
}
