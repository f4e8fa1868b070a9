package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts what a door answers. Its handler belongs on a listener of its own, or behind one: it asks for no key.
type Metrics struct {
	// Registry takes further collectors.
	Registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

// NewMetrics makes a registry with the process's own figures and those of requests.
func NewMetrics() *Metrics {
	m := &Metrics{Registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tcap_http_request_duration_seconds", Help: "How long requests took, by method and status.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"method", "status"})}
	m.Registry.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers the figures in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{})
}

// Count takes the time of each request. Methods nobody knows are counted as one, so that a stranger cannot make figures.
func (m *Metrics) Count(next http.Handler) http.Handler {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, began, method := &watched{ResponseWriter: w}, time.Now(), r.Method
		if !slices.Contains(known, method) {
			method = "other"
		}
		defer func() {
			m.requests.WithLabelValues(method, strconv.Itoa(seen.code())).Observe(time.Since(began).Seconds())
		}()
		next.ServeHTTP(seen, r)
	})
}
