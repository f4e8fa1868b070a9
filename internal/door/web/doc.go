// Package web is what every HTTP door needs: how a fault becomes an answer, who is asking, what a browser may do with a
// page, what is written to the log of a request, and streams of events. It knows no noun of the trade.
package web
