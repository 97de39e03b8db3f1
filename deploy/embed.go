// Package deploy holds what breakglass is deployed with. The program carries
// the example configuration, which the demo runs on.
package deploy

import _ "embed"

// Example is the example configuration.
//
//go:embed breakglass.example.yaml
var Example []byte
