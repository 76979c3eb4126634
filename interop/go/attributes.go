package main

import (
	"math"
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// large is longer than an HTTP/2 frame and than the first flow-control window.
var large = attribute.String("large", strings.Repeat("ü", 50_000))

// everyType has an attribute of each type, with the values that encodings get wrong: extremes, empty ones, text outside
// ASCII.
func everyType(prefix string) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String(prefix+"string", "naïve 数据 🚀 \u0000 \"quoted\"\n"),
		attribute.String(prefix+"string.empty", ""),
		attribute.String(prefix+"string.long", strings.Repeat("länge ", 40)),
		attribute.String(prefix+"ключ", "key outside ASCII"),
		attribute.Bool(prefix+"bool", true),
		attribute.Bool(prefix+"bool.false", false),
		attribute.Int64(prefix+"int.min", math.MinInt64),
		attribute.Int64(prefix+"int.max", math.MaxInt64),
		attribute.Int64(prefix+"int.zero", 0),
		attribute.Int64(prefix+"int.minus", -1),
		attribute.Float64(prefix+"double", 0.1),
		attribute.Float64(prefix+"double.small", math.SmallestNonzeroFloat64),
		attribute.Float64(prefix+"double.inf", math.Inf(-1)),
		attribute.Float64(prefix+"double.nan", math.NaN()),
		attribute.BoolSlice(prefix+"bools", []bool{true, false}),
		attribute.Int64Slice(prefix+"ints", []int64{math.MinInt64, 0, math.MaxInt64}),
		attribute.Float64Slice(prefix+"doubles", []float64{-0.5, math.MaxFloat64}),
		attribute.StringSlice(prefix+"strings", []string{"", "ü", "long enough to matter"}),
		attribute.StringSlice(prefix+"strings.empty", []string{}),
		attribute.ByteSlice(prefix+"bytes", []byte{0, 0xff, 0x80, 10}),
		nested(prefix + "map"),
	}
}

// nested is a map in a list in a map.
func nested(key string) attribute.KeyValue {
	return attribute.Map(key,
		attribute.String("inner", "値"),
		attribute.Slice("list", attribute.Int64Value(-7), attribute.BoolValue(true), attribute.StringValue(""),
			attribute.MapValue(attribute.Float64("deep", 1e300), attribute.ByteSlice("raw", []byte("\xfe")))),
		attribute.Map("empty"))
}
