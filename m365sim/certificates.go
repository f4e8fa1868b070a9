package m365sim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Files in Options.CADir.
const (
	caFile    = "ca.pem"
	caKeyFile = "ca-key.pem"
)

// authority is the certificate authority and the leaf certificate it issued for this run.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	leaf        tls.Certificate
}

// certificateHosts are the names the leaf certificate is for, beside the loopback addresses.
func (s *Simulator) certificateHosts(microsoft bool) []string {
	names := []string{"localhost", "*.localhost"}
	if microsoft {
		names = append(names, slices.Sorted(maps.Keys(s.hosts))...)
	}
	return names
}

// CAPEM is the certificate of the simulator's authority, for a client to trust.
func (s *Simulator) CAPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.authority.certificate.Raw})
}

// TLSConfig serves TLS with a certificate of the simulator's own authority, HTTP/2 offered.
func (s *Simulator) TLSConfig() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{s.authority.leaf}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}
}

// openAuthority reads the authority of dir or makes one, and issues the leaf.
func openAuthority(dir string, names []string) (*authority, error) {
	a, err := readAuthority(dir)
	if dir == "" || errors.Is(err, os.ErrNotExist) {
		a, err = newAuthority(dir)
	}
	if err != nil {
		return nil, err
	}
	if a.leaf, err = a.issue(names); err != nil {
		return nil, fmt.Errorf("issuing the certificate: %w", err)
	}
	return a, nil
}

func readAuthority(dir string) (*authority, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, caFile), filepath.Join(dir, caKeyFile))
	if err != nil {
		return nil, fmt.Errorf("reading the authority in %s: %w", dir, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("reading the authority in %s: not one the simulator made", dir)
	}
	return &authority{certificate: pair.Leaf, key: key}, nil
}

// newAuthority makes an authority; the key is written first, so that a certificate without its key is never left behind.
func newAuthority(dir string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	template := certificate(pkix.Name{CommonName: "Microsoft 365 simulator, local test authority"}, 10)
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("signing the authority: %w", err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the new authority: %w", err)
	}
	a := &authority{certificate: made, key: key}
	if dir == "" {
		return a, nil
	}
	return a, a.write(dir)
}

func (a *authority) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return fmt.Errorf("encoding the key: %w", err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := replace(filepath.Join(dir, caKeyFile), key, 0o600); err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
	if err := replace(filepath.Join(dir, caFile), cert, 0o644); err != nil {
		return fmt.Errorf("writing the certificate: %w", err)
	}
	return nil
}

// replace writes a file whole: who is killed in between leaves the old one, or none.
func replace(path string, raw []byte, mode os.FileMode) error {
	if err := os.WriteFile(path+".new", raw, mode); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// issue makes the leaf certificate, for the names and the loopback addresses. It is made anew at each start.
func (a *authority) issue(names []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a key: %w", err)
	}
	template := certificate(pkix.Name{CommonName: "Microsoft 365 simulator"}, 1)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = names
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("signing: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}, nil
}

// certificate is a template; certificates follow real time, not the world's clock, since TLS clients do.
func certificate(name pkix.Name, years int) *x509.Certificate {
	now := time.Now()
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // rand.Reader does not fail
	return &x509.Certificate{
		SerialNumber: serial, Subject: name, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(years, 0, 0),
	}
}
