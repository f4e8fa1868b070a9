package teamsadmin

import (
	"strings"

	"tcap.cloud/internal/remote/tenant"
)

// Codes of what the service refuses about numbers, beside those of package tenant.
const (
	CodeNumberNotFound     = "number-not-found"
	CodeLicenceMissing     = "licence-missing"
	CodeNumberHeldByOther  = "number-held-by-other"
	CodeOnPremisesNumber   = "on-premises-number"
	CodeServiceUnavailable = "service-unavailable"
	CodeAccessDenied       = "access-denied"
)

// messageRule maps one of Microsoft's texts to a code. There is no number to go by, so the text is matched: all parts must occur, in any
// case, in this order.
type messageRule struct {
	parts  []string
	class  tenant.Class
	code   string
	title  string
	remedy string
}

// messageRules are the texts of facts/teams-admin.md F (issues in MicrosoftDocs/office-docs-powershell, numbers there).
var messageRules = []messageRule{
	{[]string{"telephone number", "is not found from tenant"}, tenant.NotFound, CodeNumberNotFound,
		"The tenant does not have the number, or has it as another type", "Upload the number to the tenant, or check its type."},
	{[]string{"lacks appropriate licenses"}, tenant.Invalid, CodeLicenceMissing,
		"The account lacks a licence that lets it hold the number", "Give the account a Teams and a Teams Phone licence; a new one takes minutes to hours to count."},
	{[]string{"already has a telephone number set in the on-premises"}, tenant.Conflict, CodeOnPremisesNumber,
		"The account has a number in the on-premises directory, or lacks its licence", "Check the licence first: Microsoft says this wrongly when it is missing. Then clear the number on premises."},
	{[]string{"has already been assigned to another"}, tenant.Conflict, CodeNumberHeldByOther,
		"Another account holds the number", "Take the number from its holder first, or choose another."},
	{[]string{"service is unavailable"}, tenant.Transient, CodeServiceUnavailable,
		"Microsoft's service refuses for this account at the moment", "Nothing to do; it is tried again. If it stays for one account, it is Microsoft's to mend."},
	{[]string{"access denied"}, tenant.Refused, CodeAccessDenied,
		"The application has no Teams role in the tenant", "An administrator of the customer gives the application the Teams Administrator role back."},
}

// explain gives a refusal the code of its text. Whether it may have been carried out stays as it was.
func explain(err error) error {
	refusal := tenant.AsRefusal(err)
	if refusal == nil || refusal.Source != tenant.SourceTeams || refusal.Status == 0 || refusal.Status == 401 || refusal.Status == 429 {
		return err
	}
	text := strings.ToLower(refusal.Detail())
	for _, rule := range messageRules {
		if inOrder(text, rule.parts) {
			refusal.Class, refusal.Code, refusal.Message, refusal.Remedy = rule.class, rule.code, rule.title, rule.remedy
			return err
		}
	}
	return err
}

func inOrder(text string, parts []string) bool {
	for _, part := range parts {
		_, after, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = after
	}
	return true
}
