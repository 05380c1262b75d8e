using System.Runtime.CompilerServices;

namespace KubeProxy.Host.Tests;

/// <summary>Files of the repository that are not built.</summary>
internal static class Repository
{
    public static string PathOf(params string[] parts) => Path.Combine([Root(), .. parts]);

    public static string Read(params string[] parts) => File.ReadAllText(PathOf(parts));

    /// <summary>The repository, found from this file or, where builds do not keep paths, from the program.</summary>
    private static string Root([CallerFilePath] string here = "")
    {
        var directory = File.Exists(here) ? Path.GetDirectoryName(here) : AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "KubeProxy.slnx"))) directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("The repository was not found.");
    }
}
