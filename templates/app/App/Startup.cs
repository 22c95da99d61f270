using System;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Altinn.App
{
    public class Startup
    {
        public void ConfigureServices(IServiceCollection services)
        {
            services.AddRouting();
            services.AddSingleton<AppFiles>();
            services.AddSingleton<ConfigurationEndpoints>();
            services.AddSingleton<FormEndpoints>();

            // A redeploy waits for the old process, so open connections get a second and no more.
            services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        }

        public void Configure(IApplicationBuilder app, AppFiles files, ConfigurationEndpoints configuration, FormEndpoints form)
        {
            app.Use((context, next) => UnderOwnPath(context, files, next));
            app.UseRouting();
            app.UseStaticFiles(new StaticFileOptions
            {
                // A browser may keep a file, but asks each time whether it is still the newest.
                OnPrepareResponse = served => served.Context.Response.Headers["Cache-Control"] = "no-cache",
                ContentTypeProvider = new FileExtensionContentTypeProvider(),
            });
            app.UseEndpoints(endpoints =>
            {
                endpoints.MapGet("/health", context => context.Response.WriteAsync("Healthy"));
                configuration.Map(endpoints);
                form.Map(endpoints);
            });
        }

        /// <summary>
        /// Everything lies under /{org}/{app}, as the platform and the frontend expect; only /health is also
        /// answered without it, because probes do not know the app's name.
        /// </summary>
        private static Task UnderOwnPath(HttpContext context, AppFiles files, Func<Task> next)
        {
            var own = new PathString("/" + files.Id);
            if (context.Request.Path.StartsWithSegments(own, out PathString matched, out PathString rest))
            {
                context.Request.PathBase = context.Request.PathBase.Add(matched);
                context.Request.Path = rest.HasValue ? rest : new PathString("/");
                return next();
            }

            if (context.Request.Path == "/health")
            {
                return next();
            }

            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return context.Response.WriteAsync($"Nothing here. This app answers under {own}.\n");
        }
    }
}
