// The traffic of demo.sh: servers that say their name, and a client that counts who answered.
//   echo serve PORT NAME           accept TCP connections and answer with NAME
//   echo ask ADDRESS PORT COUNT    connect COUNT times and print how often each name (or error) came back
//   echo get URL SECONDS           ask until the answer is 200, at most SECONDS
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

return args switch
{
    ["serve", var port, var name] => await ServeAsync(ushort.Parse(port, CultureInfo.InvariantCulture), name),
    ["ask", var address, var port, var count] => await AskAsync(
        new IPEndPoint(IPAddress.Parse(address), ushort.Parse(port, CultureInfo.InvariantCulture)), int.Parse(count, CultureInfo.InvariantCulture)),
    ["get", var url, var seconds] => await GetAsync(new Uri(url), TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture))),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: echo serve PORT NAME | echo ask ADDRESS PORT COUNT | echo get URL SECONDS");
    return 2;
}

static async Task<int> ServeAsync(ushort port, string name)
{
    using var listener = new TcpListener(IPAddress.IPv6Any, port);
    listener.Server.DualMode = true;
    listener.Start(backlog: 256);
    var answer = Encoding.UTF8.GetBytes(name);
    while (true)
    {
        using var connection = await listener.AcceptTcpClientAsync();
        try
        {
            await connection.GetStream().WriteAsync(answer);
        }
        catch (IOException)
        {
            // The client is gone already; the next one counts.
        }
    }
}

static async Task<int> AskAsync(IPEndPoint target, int count)
{
    var answers = new SortedDictionary<string, int>(StringComparer.Ordinal);
    for (var i = 0; i < count; i++)
    {
        var answer = await AskOnceAsync(target);
        answers[answer] = answers.GetValueOrDefault(answer) + 1;
    }

    Console.WriteLine(string.Join("   ", answers.Select(answer => $"{answer.Key}: {answer.Value}")));
    return 0;
}

static async Task<string> AskOnceAsync(IPEndPoint target)
{
    using var client = new TcpClient(target.AddressFamily);
    using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
    try
    {
        await client.ConnectAsync(target, patience.Token);
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync(patience.Token);
    }
    catch (OperationCanceledException)
    {
        return "timeout";
    }
    catch (Exception problem) when (problem is IOException or SocketException)
    {
        return (problem as SocketException ?? problem.InnerException as SocketException)?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => "refused",
            { } code => code.ToString(),
            null => problem.Message,
        };
    }
}

static async Task<int> GetAsync(Uri url, TimeSpan limit)
{
    using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
    var end = DateTime.UtcNow + limit;
    while (DateTime.UtcNow < end)
    {
        try
        {
            using var response = await client.GetAsync(url);
            if (response.IsSuccessStatusCode) return 0;
        }
        catch (Exception problem) when (problem is HttpRequestException or TaskCanceledException)
        {
            // Not up yet.
        }

        await Task.Delay(20);
    }

    return 1;
}
