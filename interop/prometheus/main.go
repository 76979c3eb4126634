// Program prometheus writes what the Collector's exporter prometheus shows of some requests, with several settings: pages for the tests of
// otlp-service. Each file has the content type in its first line.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Variant has settings of the exporter, and the header accept of the scrape.
type Variant struct {
	Name     string
	Settings map[string]any
	Accept   string
}

const fixtures = "../../otlp-service/tests/fixtures/prometheus/"

func main() {
	variants := []Variant{}
	text, err := os.ReadFile(fixtures + "variants.json")
	check(err)
	check(json.Unmarshal(text, &variants))
	files, err := filepath.Glob(fixtures + "requests/*.json")
	check(err)
	sort.Strings(files)
	for _, variant := range variants {
		name := regexp.MustCompile("[^a-z0-9]+").ReplaceAllString(strings.ToLower(variant.Name), "-")
		check(os.WriteFile(fixtures+"pages/"+name, page(variant, files), 0o644))
	}
}

func page(variant Variant, files []string) []byte {
	ctx := context.Background()
	endpoint := freeEndpoint()
	settings := map[string]any{"endpoint": endpoint}
	for key, value := range variant.Settings {
		settings[key] = value
	}
	factory := prometheusexporter.NewFactory()
	config := factory.CreateDefaultConfig()
	check(confmap.NewFromStringMap(settings).Unmarshal(config))
	exporter, err := factory.CreateMetrics(ctx, exportertest.NewNopSettings(factory.Type()), config)
	check(err)
	check(exporter.Start(ctx, componenttest.NewNopHost()))
	defer func() { check(exporter.Shutdown(ctx)) }()
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(text)
		check(err)
		check(exporter.ConsumeMetrics(ctx, metrics))
	}
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s/metrics", endpoint), nil)
	check(err)
	request.Header.Set("Accept", variant.Accept)
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(err)
	return append([]byte(response.Header.Get("Content-Type")+"\n"), body...)
}

func freeEndpoint() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	return listener.Addr().String()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
