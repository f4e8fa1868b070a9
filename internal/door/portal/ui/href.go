package ui

import (
	"net/url"
	"strings"
)

// safeHref lets through addresses of this site, https, http, mailto and tel;
// anything else (javascript:, data:) becomes "#", because addresses may come
// from what a customer's tenant says of itself.
func safeHref(href string) string {
	u, err := url.Parse(strings.TrimSpace(href))
	if err != nil {
		return "#"
	}
	switch strings.ToLower(u.Scheme) {
	case "", "https", "http", "mailto", "tel":
		return href
	default:
		return "#"
	}
}

// confirmVariant answers the variant of a confirmation's button.
func confirmVariant(c Confirm) string {
	if c.Danger {
		return "destructive"
	}
	return string(Primary)
}
