using System.Diagnostics;
using System.Globalization;

namespace KubeProxy.Benchmarks;

/// <summary>Runs other programs.</summary>
internal static class Commands
{
    /// <summary>What it prints.</summary>
    /// <exception cref="InvalidOperationException">It ended with another exit code than 0.</exception>
    public static string Execute(string program, params string[] arguments) => Execute(null, program, arguments);

    /// <summary>What it prints when it is given that to read.</summary>
    /// <exception cref="InvalidOperationException">It ended with another exit code than 0.</exception>
    public static string ExecuteWithInput(string input, string program, params string[] arguments) => Execute(input, program, arguments);

    /// <summary>Milliseconds of CPU time of all programs that ran until now.</summary>
    public static double CpuOfChildren()
    {
        // proc(5): cutime and cstime of /proc/self/stat, in hundredths of a second.
        var stat = File.ReadAllText("/proc/self/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return 10.0 * (long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture));
    }

    private static string Execute(string? input, string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardInput = input is not null })!;
        if (input is not null)
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }

        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
    }
}
