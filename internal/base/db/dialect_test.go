package db

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"
)

// What the two databases do not share is paid for twice. A new method here is a decision: change the number with it.
func TestTheDialectHasNotGrown(t *testing.T) {
	t.Parallel()
	if n := reflect.TypeFor[dialect]().NumMethod(); n != 6 {
		t.Fatalf("the dialect has %d methods, not 6: can one SQL text not do it?", n)
	}
}

func TestBothDialectsSpellTheSameTokens(t *testing.T) {
	t.Parallel()
	names := func(d dialect) []string { return slices.Sorted(maps.Keys(d.tokens())) }
	if a, b := names(sqliteDialect{}), names(postgresDialect{}); !slices.Equal(a, b) {
		t.Fatalf("SQLite has %v, PostgreSQL %v", a, b)
	}
}

func TestAnUnknownTokenIsAnError(t *testing.T) {
	t.Parallel()
	files := tokenFS{fstest.MapFS{"1.sql": {Data: []byte("CREATE TABLE a (b {{int}}, c {{float}});")}, "2.sql": {Data: []byte("b {{int}}")}}, sqliteDialect{}.tokens()}
	if _, err := files.ReadFile("1.sql"); err == nil {
		t.Error("an unknown token was read")
	}
	if _, err := files.Open("1.sql"); err == nil {
		t.Error("an unknown token was opened")
	}
	if raw, err := files.ReadFile("2.sql"); err != nil || string(raw) != "b INTEGER" {
		t.Errorf("%s, %v", raw, err)
	}
}
