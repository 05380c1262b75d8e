var builder = Microsoft.AspNetCore.Builder.WebApplication.CreateEmptyBuilder(new());
return builder.Build() is null ? 1 : 0;
