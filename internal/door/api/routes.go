package api

// routes names every noun of the API.
func (a *api) routes() {
	for _, noun := range []func(){
		a.operator,
		a.partners,
		a.customers,
		a.services,
		a.consent,
		a.resync,
		a.users,
		a.userNumber,
		a.numbers,
		a.imports,
		a.capabilities,
		a.keys,
		a.members,
		a.operations,
		a.audit,
	} {
		noun()
	}
}
