package m365sim

import (
	"net/http"

	"tcap.cloud/m365sim/internal/entra"
	"tcap.cloud/m365sim/internal/graph"
	"tcap.cloud/m365sim/internal/teams"
	"tcap.cloud/m365sim/internal/world"
)

// services are the handlers by name. What is not there answers 501.
func services(w *world.World) map[string]http.Handler {
	return map[string]http.Handler{
		serviceLogin: entra.New(w),
		serviceGraph: graph.New(w),
		serviceTeams: teams.New(w),
	}
}
