package app

import (
	"context"
	"fmt"
	"io"
	"net"

	"tcap.cloud/internal/base/telemetry"
	"tcap.cloud/m365sim"
)

// Sim settings (contracts/simulator.md).
type Sim struct {
	Listen   string `default:"127.0.0.1:8443" help:"Address; HTTPS always, loopback."`
	CADir    string `name:"ca-dir" help:"Where the authority is kept (ca.pem); default: --data." type:"path"`
	Data     string `help:"Where the world is kept, so that it survives; empty: in memory." type:"path"`
	Hosts    bool   `help:"Certificates for Microsoft's own host names too."`
	LogLevel string `default:"info" enum:"debug,info,warn,error" help:"How much is logged."`
}

// Run serves the simulator until the context ends.
func (s Sim) Run(ctx context.Context, out io.Writer) error {
	log, err := telemetry.Logger(out, s.LogLevel, true)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	if s.CADir == "" {
		s.CADir = s.Data
	}
	sim, err := m365sim.New(m365sim.Options{Dir: s.Data, CADir: s.CADir, Hosts: s.Hosts, BaseURL: "https://" + l.Addr().String(), Log: log})
	if err != nil {
		return fmt.Errorf("starting the simulator: %w", err)
	}
	defer sim.Close()
	log.Info("the simulator is ready", "url", "https://"+l.Addr().String()+"/_sim/", "authority", s.CADir)
	return sim.Serve(ctx, l)
}
