package tenant

// answerRule is one row of what Graph or the Teams administration API may refuse with.
type answerRule struct {
	status int    // 0: any
	word   string // empty: any
	class  Class
	code   string
	title  string
	remedy string
}

// answerRules is facts/entra.md §2.4 and facts/teams-admin.md A0 as data; the first row that fits counts. Microsoft's own words are
// kept beside our short code in Refusal.Word.
var answerRules = []answerRule{
	{0, "Authorization_IdentityNotFound", AccessLost, "identity-missing", "The application has no service principal in the tenant", "An administrator of the customer grants access again; just after consent it may take some minutes."},
	{0, "Authorization_IdentityDisabled", AccessLost, "identity-disabled", "The application is disabled in the tenant", "An administrator of the customer enables the enterprise application again."},
	{401, "InvalidAuthenticationToken", Ours, "token-refused", "A fresh token was not accepted", "Check the customer's cloud; if it is right, report it."},
	{401, "", Ours, "token-refused", "A fresh token was not accepted", "Check the customer's cloud; if it is right, report it."},
	{403, "Authorization_RequestDenied", Refused, "permission-missing", "A permission or directory role is missing for this", "An administrator of the customer gives the application its roles and permissions back."},
	{403, "Authentication_RequestFromUnsupportedUserRole", Refused, "role-missing", "A directory role is missing for this", "An administrator of the customer gives the application its roles back."},
	{403, "", Refused, "access-denied", "Access to this was denied", "An administrator of the customer gives the application its roles and permissions back."},
	{404, "", NotFound, "not-found", "There is no such thing in the tenant", ""},
	{409, "", Conflict, "conflict", "It is there already, or was changed meanwhile", ""},
	{412, "", Conflict, "changed-meanwhile", "It was changed meanwhile", ""},
	{423, "", Conflict, "locked", "It is locked by another change", ""},
	{400, "ObjectConflict", Conflict, "conflict", "It is there already, or was changed meanwhile", ""},
	{400, "Request_MultipleObjectsWithSameKeyValue", Conflict, "conflict", "It is there already, or was changed meanwhile", ""},
	{410, "", Invalid, "state-expired", "The place to go on from is too old", ""},
	{400, "", Invalid, "invalid", "The tenant cannot do this as asked", ""},
	{422, "", Invalid, "invalid", "The tenant cannot do this as asked", ""},
	{429, "", Throttled, "throttled", "Too many requests", "Nothing to do; it is tried again, more slowly."},
	{503, "activityLimitReached", Throttled, "throttled", "Too many requests", "Nothing to do; it is tried again, more slowly."},
	{408, "", Transient, "unavailable", "Microsoft's service is briefly unavailable", "Nothing to do; it is tried again."},
}

// classifyAnswer finds the row for a status and Microsoft's word. What has no row: 5xx is transient, the rest of 4xx and all of 3xx is
// a request that we should not have made.
func classifyAnswer(status int, word string) answerRule {
	for _, rule := range answerRules {
		if (rule.status == 0 || rule.status == status) && (rule.word == "" || rule.word == word) {
			return rule
		}
	}
	if status >= 500 {
		return answerRule{class: Transient, code: "unavailable", title: "Microsoft's service is briefly unavailable", remedy: "Nothing to do; it is tried again."}
	}
	return answerRule{class: Ours, code: "unexpected-answer", title: "Microsoft's answer was not expected", remedy: "Report it."}
}

// mayBeDone are the answers to a write after which it may have been carried out all the same: a gateway that gave up waiting looks
// like any other 5xx.
func mayBeDone(status int) bool { return status >= 500 || status == 408 }
