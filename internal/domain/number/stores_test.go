package number_test

import (
	"strings"
	"testing"

	"tcap.cloud/internal/base/db/dbtest"
)

// dbURL is a fresh SQLite store.
func dbURL(t *testing.T) string {
	t.Helper()
	return dbtest.URL(t, "sqlite")
}

// freshURL is another store of the same kind.
func freshURL(t *testing.T, url string) string {
	t.Helper()
	if strings.HasPrefix(url, "sqlite:") {
		return dbtest.URL(t, "sqlite")
	}
	return dbtest.URL(t, "postgres")
}
