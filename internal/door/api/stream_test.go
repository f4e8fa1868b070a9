package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/door/api"
)

// event reads lines up to the end of one event or comment.
func event(t *testing.T, in *bufio.Scanner) string {
	t.Helper()
	var lines []string
	for in.Scan() {
		if in.Text() == "" {
			return strings.Join(lines, "\n")
		}
		lines = append(lines, in.Text())
	}
	return ""
}

func (s *stand) stream(ctx context.Context, headers ...string) *bufio.Scanner {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/api/v1/operations/"+s.operation+"/events", nil)
	s.must(err)
	req.Header.Set("Authorization", "Bearer "+s.keys["customer"])
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	s.must(err)
	s.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	return bufio.NewScanner(res.Body)
}

func TestAStreamTellsHowItIsAndWhatChangesAndEnds(t *testing.T) {
	s := sqlite(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	in := s.stream(ctx)
	if first := event(t, in); !strings.HasPrefix(first, "event: operation\nid: 1\ndata: {") || !strings.Contains(first, `"state":"queued"`) {
		t.Fatalf("first event: %s", first)
	}
	s.end(s.operation)
	if last := event(t, in); !strings.Contains(last, "id: 2") || !strings.Contains(last, `"state":"succeeded"`) {
		t.Fatalf("last event: %s", last)
	}
	if in.Scan() {
		t.Errorf("the stream goes on: %s", in.Text())
	}
}

func TestAStreamDoesNotRepeatWhatTheClientHasSeen(t *testing.T) {
	s := sqlite(t, func(o *api.Options) { o.Heartbeat = 10 * time.Millisecond })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	in := s.stream(ctx, "Last-Event-ID", "1")
	if beat := event(t, in); !strings.HasPrefix(beat, ":") {
		t.Errorf("the version that was seen is sent again: %s", beat)
	}
}
