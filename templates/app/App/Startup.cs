using System;
using System.Threading.Tasks;
using Altinn.App.Forms;
using Altinn.App.Instances;
using Altinn.App.Platform;
using Altinn.App.Processes;
using Altinn.App.Security;
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
            services.AddSingleton<Faults>();

            services.AddSingleton<PlatformSettings>();
            services.AddSingleton<PlatformClient>();
            services.AddSingleton<PartyClient>();
            services.AddSingleton<StorageClient>();
            services.AddSingleton<EventsClient>();

            services.AddSingleton<AccessTokens>();
            services.AddSingleton<TokenKeys>();
            services.AddSingleton<TokenReader>();
            services.AddSingleton<Callers>();
            services.AddSingleton<DecisionClient>();
            services.AddSingleton<Doorkeeper>();

            services.AddSingleton<InstanceChecks>();
            services.AddSingleton<ProcessEngine>();
            services.AddSingleton<Instantiation>();
            services.AddSingleton<InstanceView>();

            services.AddSingleton<ConfigurationEndpoints>();
            services.AddSingleton<UserEndpoints>();
            services.AddSingleton<InstanceEndpoints>();
            services.AddSingleton<ProcessEndpoints>();
            services.AddSingleton<DataEndpoints>();
            services.AddSingleton<UploadEndpoints>();

            // A redeploy waits for the old process, so open connections get a second and no more.
            services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        }

        public void Configure(IApplicationBuilder app, AppFiles files, Faults faults)
        {
            app.Use((context, next) => UnderOwnPath(context, files, next));
            app.UseRouting();
            app.UseStaticFiles(new StaticFileOptions
            {
                // A browser may keep a file, but asks each time whether it is still the newest.
                OnPrepareResponse = served => served.Context.Response.Headers["Cache-Control"] = "no-cache",
                ContentTypeProvider = new FileExtensionContentTypeProvider(),
            });
            app.Use(faults.Catch);
            app.UseEndpoints(endpoints =>
            {
                endpoints.MapGet("/health", context => context.Response.WriteAsync("Healthy"));
                IServiceProvider all = app.ApplicationServices;
                all.GetRequiredService<ConfigurationEndpoints>().Map(endpoints);
                all.GetRequiredService<UserEndpoints>().Map(endpoints);
                all.GetRequiredService<InstanceEndpoints>().Map(endpoints);
                all.GetRequiredService<ProcessEndpoints>().Map(endpoints);
                all.GetRequiredService<DataEndpoints>().Map(endpoints);
                all.GetRequiredService<UploadEndpoints>().Map(endpoints);
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
