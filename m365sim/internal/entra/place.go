package entra

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/world"
)

// place is the first path segment: a tenant, or an alias for the tenant of whoever signs in.
type place struct {
	segment string
	tenant  string // id; "" for an alias
}

func (p place) alias() bool { return p.tenant == "" }

// findPlace resolves the path's tenant. A tenant of another national cloud is not found on this one's host, which is what
// Microsoft mostly answers (facts/entra.md §3).
func (s *service) findPlace(r *http.Request) (place, *refusal) {
	seg := strings.ToLower(r.PathValue("tenant"))
	if seg == "organizations" || seg == "common" {
		return place{segment: seg}, nil
	}
	call := world.CallFrom(r.Context())
	id, ok := s.w.FindTenant(seg)
	if ok && !sameAuthority(call.Cloud, s.cloud(id)) {
		ok = false
	}
	if !ok {
		return place{}, tenantNotFound(r.PathValue("tenant"))
	}
	call.Tenant = id
	return place{segment: seg, tenant: id}, nil
}

func (s *service) cloud(tenantID string) (c world.Cloud) {
	_ = s.w.View(tenantID, func(t *world.Tenant) error { c = t.Cloud; return nil })
	return c
}

func tenantNotFound(named string) *refusal {
	if _, err := uuid.Parse(named); err != nil && !strings.Contains(named, ".") {
		return refuse(90002, "Tenant '%s' not found. It is neither a tenant id nor a domain name.", named)
	}
	return refuse(90002, "Tenant '%s' not found. Check the tenant id or domain, and that you are signing in to the right cloud.", named)
}

// sameAuthority says whether two clouds share a login host; a host that is not Microsoft's serves every cloud.
func sameAuthority(host, tenant world.Cloud) bool {
	return host == "" || authority(host) == authority(tenant)
}

// authority is the login host of a cloud (facts/entra.md §3).
func authority(c world.Cloud) string {
	switch c {
	case world.GCCHigh, world.DoD:
		return "login.microsoftonline.us"
	case world.China:
		return "login.partner.microsoftonline.cn"
	}
	return "login.microsoftonline.com"
}
