// Package ui holds the portal's parts: templ components and the plain Go
// view models they draw. It knows no domain package and reads no request;
// a page's handler fills the view models, and the components turn them into
// HTML that works without JavaScript and under a Content-Security-Policy
// with no unsafe source.
//
// Every word shown is sentence case; a status is always a word, an icon and a
// colour, never the colour alone.
package ui
