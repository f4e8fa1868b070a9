package control

import (
	"encoding/json"
	"slices"
	"strings"
)

// leftOut are the properties ?normalised=true leaves out of the state: ids and times, which differ between two tenants that
// are otherwise alike. What an id stands for is named beside it and stays.
func leftOut(property string) bool {
	switch property {
	case "id", "appId", "appRoleId", "clientId", "keyId", "locationId", "principalId", "resourceId", "roleDefinitionId", "skuId",
		"targetId", "assignedDateTime", "createdDateTime", "deletedDateTime", "endDateTime":
		return true
	}
	return false
}

// normalised is a state without what leftOut names, each list of objects in an order that follows from what is in it.
func normalised(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for name, value := range v {
			switch {
			case leftOut(name):
			case name == "properties": // a policy's rules stand in an order that means something
				out[name] = value
			default:
				out[name] = normalised(value)
			}
		}
		return out
	case []any:
		return sorted(v)
	}
	return v
}

// sorted orders a list of objects; the order of plain values means something and stays.
func sorted(list []any) []any {
	type item struct {
		value any
		text  string
	}
	items := make([]item, 0, len(list))
	for _, v := range list {
		v = normalised(v)
		raw, _ := json.Marshal(v) // it came of a state that is about to be encoded
		items = append(items, item{v, string(raw)})
	}
	if !slices.ContainsFunc(items, func(i item) bool { _, isObject := i.value.(object); return !isObject }) {
		slices.SortStableFunc(items, func(a, b item) int { return strings.Compare(a.text, b.text) })
	}
	out := make([]any, len(items))
	for n, i := range items {
		out[n] = i.value
	}
	return out
}
