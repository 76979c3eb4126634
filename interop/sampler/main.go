// Writes the vectors of otlp-service's probabilistic sampler: decisions and trace states of the Collector's processor on 100,000 spans
// for each of many settings. ../README.md says how to run it.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
)

const (
	all   = 100_000
	first = 500
	batch = 10_000
)

// Trace states that arrive. Those from the first with sampling information on are only for settings that do not drop it for that reason.
var plain = []string{"", "", "", "v=1", "v=1,w@t=2", "ot=a:b;c:", "ot=a:1,v=2", "v", "v=a=b", "ot=A:1", " v=1 , ,w=2,"}

var sampled = []string{
	"ot=th:0", "ot=th:8", "ot=th:c", "ot=th:4;x:y", "v=1,ot=th:fd70a", "ot=th:e6667,v=1", "ot=th:123456789abcde",
	"ot=rv:ffffffffffffff", "ot=rv:00000000000001", "ot=rv:80000000000000;th:8", "ot=rv:7fffffffffffff;th:8",
	"ot=rv:e1234567890abc;th:C0", "ot=rv:ABCDEFABCDEFAB", "ot=th:8;rv:ffffffffffff00;z:9", "ot=th:g", "ot=rv:12", "ot=th:8;",
	"ot=th:8;th:f", "ot=th:f,ot=th:8",
}

type splitmix uint64

func (s *splitmix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func main() {
	for _, state := range append(append([]string{}, plain...), sampled...) {
		fmt.Printf("state %s\n", state)
	}
	fmt.Printf("plain %d\n", len(plain))
	number := uint64(0)
	write := func(mode string, percentage float32, seed uint32, precision int, closed bool) {
		number++
		kept, digest, keptFirst, digestFirst := run(number, mode, percentage, seed, precision, closed)
		fmt.Printf("case %s %v %d %d %v %d %016x %d %016x\n",
			mode, percentage, seed, precision, closed, keptFirst, digestFirst, kept, digest)
	}
	for _, closed := range []bool{true, false} {
		for _, percentage := range []float32{100, 99.99, 75, 50, 33.3, 25, 10, 1, 0.07, 0.0062, 0.006, 0} {
			for _, seed := range []uint32{0, 22, 4294967295} {
				write("hash_seed", percentage, seed, 4, closed)
			}
		}
		for _, mode := range []string{"equalizing", "proportional"} {
			for _, percentage := range []float32{100, 99.99, 99.9, 75, 60, 50, 33.3, 30, 10, 6.25, 1, 0.07, 0.0001, 0} {
				for _, precision := range []int{1, 4, 14} {
					write(mode, percentage, 0, precision, closed)
				}
			}
		}
		// Any percentage, to check the arithmetic.
		random := rand.New(rand.NewPCG(7, number))
		for range 40 {
			percentage := float32(random.Float64() * 100)
			if random.IntN(2) == 0 {
				percentage /= float32(uint64(1) << random.IntN(30))
			}
			mode := []string{"hash_seed", "equalizing", "proportional"}[random.IntN(3)]
			write(mode, percentage, random.Uint32(), 1+random.IntN(14), closed)
		}
	}
}

// Samples the spans of a case, and returns the number and the digest of the kept spans, of all and of the first.
func run(number uint64, mode string, percentage float32, seed uint32, precision int, closed bool) (int, uint64, int, uint64) {
	sink := new(consumertest.TracesSink)
	factory := probabilisticsamplerprocessor.NewFactory()
	config := factory.CreateDefaultConfig().(*probabilisticsamplerprocessor.Config)
	config.Mode = probabilisticsamplerprocessor.SamplerMode(mode)
	config.SamplingPercentage, config.HashSeed = percentage, seed
	config.SamplingPrecision, config.FailClosed = precision, closed
	settings := processortest.NewNopSettings(factory.Type())
	settings.Logger = zap.NewNop()
	sampler := must(factory.CreateTraces(context.Background(), settings, config, sink))
	states := plain
	if mode != "hash_seed" || !closed {
		states = append(append([]string{}, plain...), sampled...)
	}
	if percentage < 0.0061 && mode == "hash_seed" || percentage == 0 {
		// A sampler that keeps nothing writes other trace states, which are no vectors.
		states = plain[:7]
	}
	random := splitmix(number)
	digest, kept := fnv.New64a(), 0
	digestFirst, keptFirst := uint64(0), 0
	for start := 0; start < all; start += batch {
		if err := sampler.ConsumeTraces(context.Background(), spans(&random, states, start)); err != nil {
			panic(err)
		}
		for _, traces := range sink.AllTraces() {
			sampledSpans := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
			for i := range sampledSpans.Len() {
				span := sampledSpans.At(i)
				id := span.SpanID()
				index := int(binary.BigEndian.Uint64(id[:])) - 1
				if index >= first && digestFirst == 0 {
					digestFirst, keptFirst = digest.Sum64(), kept
				}
				fmt.Fprintf(digest, "%d %s\n", index, span.TraceState().AsRaw())
				kept++
			}
		}
		sink.Reset()
	}
	if digestFirst == 0 {
		digestFirst, keptFirst = digest.Sum64(), kept
	}
	return kept, digest.Sum64(), keptFirst, digestFirst
}

func spans(random *splitmix, states []string, start int) ptrace.Traces {
	traces := ptrace.NewTraces()
	made := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for index := start; index < start+batch; index++ {
		span := made.AppendEmpty()
		var id [16]byte
		binary.BigEndian.PutUint64(id[:8], random.next())
		binary.BigEndian.PutUint64(id[8:], random.next())
		if index%97 == 96 {
			id = [16]byte{}
		}
		var spanID [8]byte
		binary.BigEndian.PutUint64(spanID[:], uint64(index+1))
		span.SetTraceID(id)
		span.SetSpanID(spanID)
		span.TraceState().FromRaw(states[random.next()%uint64(len(states))])
	}
	return traces
}

func must(sampler processor.Traces, err error) processor.Traces {
	if err != nil {
		fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
	return sampler
}
