// Package detectors stands in for detectors of clouds that the processor resourcedetection imports and that module proxies do
// not always have. It finds nothing. The detectors that interop compares, env and system, do not use it.
package detectors

import (
	"context"

	"go.opentelemetry.io/otel/sdk/resource"
)

// Option is a setting without an effect.
type Option struct{}

type detector struct{}

// WithProtocol has no effect.
func WithProtocol(string) Option { return Option{} }

// NewResourceDetector returns a detector that finds nothing.
func NewResourceDetector(...Option) resource.Detector { return detector{} }

func (detector) Detect(context.Context) (*resource.Resource, error) { return resource.Empty(), nil }
