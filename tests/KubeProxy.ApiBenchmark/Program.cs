using System.Globalization;
using KubeProxy.ApiBenchmark;

// host <binary> <services> <endpoints> [idle-seconds] [runs] [json|protobuf]
//                                                  the published program against a server with so many services, and so many
//                                                  endpoints for each; needs root
// outages <binary> <services> <endpoints> [count] [seconds]
//                                                  the program, built or published, after so many outages of so many seconds; needs root
// run <binary> <services> <endpoints> [rate] [seconds] [affinity]
//                                                  start, so many changes a second, a minute of rest, kill and start again; needs root
// probe                                            used by outages
// serve <services> <endpoints> <port> [ca-file]    the server of it; with a file for its CA it speaks TLS, and HTTP/2 then
// read <url> [ca-file] [list] [json] [gzip] [drop]               reads all of it into an engine that programs nothing, and tells what that cost
// parse <url> [ca-file] [list] [json] [gzip] [drop]              the same without an engine
// hold typed|source <url> <page-size> [json]       keeps all Services and EndpointSlices in memory: as typed lists of the official client,
//                                                  or as a source made of it delivers them; a page size of 0 is for all at once
return args switch
{
    ["host", var binary, var services, var endpoints, .. var rest] => await Hosting.RunAsync(
        Path.GetFullPath(binary), Number(services), Number(endpoints), TimeSpan.FromSeconds(Number(rest.ElementAtOrDefault(0) ?? "0")), Number(rest.ElementAtOrDefault(1) ?? "1"), ContentType(rest)),
    ["outages", var binary, var services, var endpoints, .. var rest] => await new Outages(
        Path.GetFullPath(binary), Number(services), Number(endpoints), TimeSpan.FromSeconds(Number(rest.ElementAtOrDefault(1) ?? "20"))).RunAsync(Number(rest.ElementAtOrDefault(0) ?? "20")),
    ["run", var binary, var services, var endpoints, .. var rest] => await new Running(
        Path.GetFullPath(binary), Number(services), Number(endpoints), rest.Contains("affinity")).RunAsync(Number(rest.ElementAtOrDefault(0) ?? "0"), TimeSpan.FromSeconds(Number(rest.ElementAtOrDefault(1) ?? "120"))),
    ["probe"] => await Probing.RunAsync(),
    ["serve", var services, var endpoints, var port, .. var rest] => await Serving.RunAsync(Number(services), Number(endpoints), Number(port), rest.FirstOrDefault(), rest.Contains("obey"), rest.Contains("affinity")),
    ["read", var url, .. var rest] => await Reading.RunAsync(new Uri(url), rest.FirstOrDefault(File.Exists), !rest.Contains("list"), ContentType(rest), rest.Contains("gzip"), rest.Contains("drop")),
    ["parse", var url, .. var rest] => await Parsing.RunAsync(new Uri(url), rest.FirstOrDefault(File.Exists), !rest.Contains("list"), ContentType(rest), rest.Contains("gzip"), rest.Contains("drop")),
    ["hold", "typed" or "source", var url, var pageSize, .. var rest] => await Holding.RunAsync(new Uri(url), args[1] == "typed", Number(pageSize), ContentType(rest)),
    _ => Usage(),
};

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static string ContentType(string[] arguments) => arguments.Contains("json") ? "application/json" : "application/vnd.kubernetes.protobuf";

static int Usage()
{
    Console.Error.WriteLine("host <binary> <services> <endpoints> [idle-seconds] [runs] [json|protobuf] | outages <binary> <services> <endpoints> [count] [seconds] | run <binary> <services> <endpoints> [rate] [seconds] [affinity] | serve <services> <endpoints> <port> [ca-file] | read|parse <url> [ca-file] [list] [json] [gzip] [drop] | hold typed|source <url> <page-size> [json]");
    return 2;
}
