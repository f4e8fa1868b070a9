package ui

import "strings"

// Tone is the colour family of a state. It never carries meaning alone: the
// word and the icon beside it do.
type Tone string

// The tones; each passes 4.5:1 against its own background in both themes.
const (
	ToneNeutral Tone = "neutral"
	ToneInfo    Tone = "info"
	ToneGood    Tone = "good"
	ToneWarn    Tone = "warn"
	ToneBad     Tone = "bad"
)

// State is a status as it is shown: a word, an icon and a tone.
type State struct {
	Code string // as the API spells it; drawn as data-state
	Word string
	Icon Icon
	Tone Tone
}

// ServiceState answers how a service card's status is shown (REST contract,
// /services: status).
func ServiceState(code string) State { return lookUp(serviceStates, code) }

// ActivationState answers how the activation of a Direct Routing domain is
// shown (REST contract, /services: activation.state).
func ActivationState(code string) State { return lookUp(activationStates, code) }

// OperationState answers how the state of an operation or of one of its steps
// and changes is shown (REST contract, /operations).
func OperationState(code string) State { return lookUp(operationStates, code) }

// NumberState answers how a number's state is shown (REST contract, /numbers).
func NumberState(code string) State { return lookUp(numberStates, code) }

// UserState answers how a Teams user's status is shown (REST contract,
// /customers/{id}/users: status).
func UserState(code string) State { return lookUp(userStates, code) }

// CheckState answers how one check of the custom app wizard is shown (REST
// contract, /custom-app/checks: state).
func CheckState(code string) State { return lookUp(checkStates, code) }

// Known lists every code that a family of states draws with a word of its own,
// keyed by family: service, activation, operation, number, user, check.
func Known() map[string][]State {
	return map[string][]State{
		"service": serviceStates(), "activation": activationStates(), "operation": operationStates(),
		"number": numberStates(), "user": userStates(), "check": checkStates(),
	}
}

// lookUp finds a code; an unknown one is shown in words rather than hidden,
// because the API may learn a state before the portal does.
func lookUp(family func() []State, code string) State {
	for _, s := range family() {
		if s.Code == code {
			return s
		}
	}
	return State{Code: code, Word: sentence(code), Icon: IconQuestion, Tone: ToneNeutral}
}

// sentence turns a code such as not-started into "Not started".
func sentence(code string) string {
	words := strings.TrimSpace(strings.NewReplacer("-", " ", "_", " ").Replace(code))
	if words == "" {
		return "Unknown"
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func serviceStates() []State {
	return []State{
		{"pending-consent", "Pending consent", IconKey, ToneInfo},
		{"activating", "Activating", IconSpinner, ToneInfo},
		{"active", "Active", IconDot, ToneGood},
		{"degraded", "Degraded", IconWarning, ToneWarn},
		{"suspended", "Suspended", IconStop, ToneBad},
		{"disconnected", "Disconnected", IconUnlink, ToneNeutral},
	}
}

func activationStates() []State {
	return []State{
		{"not-started", "Not started", IconCircle, ToneNeutral},
		{"waiting", "Waiting for Microsoft", IconClock, ToneInfo},
		{"done", "Activated", IconCheck, ToneGood},
		{"failed", "Failed", IconCross, ToneBad},
	}
}

func operationStates() []State {
	return []State{
		{"queued", "Queued", IconCircle, ToneNeutral},
		{"planned", "Planned", IconCircle, ToneNeutral},
		{"intended", "Starting", IconSpinner, ToneInfo},
		{"sent", "Sent", IconSpinner, ToneInfo},
		{"running", "Running", IconSpinner, ToneInfo},
		{"waiting", "Waiting", IconClock, ToneInfo},
		{"applied", "Written, checking", IconSpinner, ToneInfo},
		{"verified", "Done", IconCheck, ToneGood},
		{"succeeded", "Done", IconCheck, ToneGood},
		{"done", "Done", IconCheck, ToneGood},
		{"failed", "Failed", IconCross, ToneBad},
		{"withheld", "Withheld", IconHand, ToneWarn},
		{"unknown", "Outcome not known", IconQuestion, ToneWarn},
		{"cancelled", "Cancelled", IconMinus, ToneNeutral},
		{"skipped", "Skipped", IconMinus, ToneNeutral},
	}
}

func numberStates() []State {
	return []State{
		{"free", "Free", IconCircle, ToneNeutral},
		{"reserved", "Reserved", IconClock, ToneInfo},
		{"assigned", "Assigned", IconUser, ToneGood},
		{"releasing", "Releasing", IconSpinner, ToneInfo},
		{"quarantined", "Quarantined", IconHand, ToneWarn},
		{"foreign", "Held by another system", IconUnlink, ToneNeutral},
	}
}

func userStates() []State {
	return []State{
		{"not-licensed", "Not licensed", IconKey, ToneWarn},
		{"not-allocated", "Not allocated", IconCircle, ToneNeutral},
		{"allocated", "Allocated", IconCheck, ToneGood},
	}
}

func checkStates() []State {
	return []State{
		{"ok", "Right", IconCheck, ToneGood},
		{"missing", "Missing", IconCircle, ToneWarn},
		{"wrong", "Wrong", IconCross, ToneBad},
		{"unknown", "Not checked yet", IconQuestion, ToneNeutral},
	}
}
