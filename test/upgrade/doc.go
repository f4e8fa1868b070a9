// Package upgrade keeps a small database of each released version, of both kinds, and proves that this program opens it.
// make.sh makes one from a running demo; each version's folder is named after it and never changed afterwards.
package upgrade
