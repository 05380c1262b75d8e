namespace KubeProxy.Ipvs.Tests.Backend;

/// <summary>Files with what should come out. UPDATE_GOLDEN=DIRECTORY writes them there instead.</summary>
internal static class Golden
{
    public static void Check(string name, string actual)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is { Length: > 0 } directory) File.WriteAllText(Path.Combine(directory, name), actual);
        else Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Backend", "Golden", name)), actual);
    }
}
